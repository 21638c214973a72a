"""Pixel values to tensor values."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.engine.quantum import Quantum
from edgeinfer.store import InputOptions
from edgeinfer.tensors import TensorSpec


def quantum(dtype: str, scale: float, zero_point: int, **options) -> Quantum:
    spec = TensorSpec("t", (1, 2, 2, 3), dtype, scale, zero_point, 0)
    return Quantum(spec, InputOptions(fit="stretch", **options), 3)


@pytest.mark.parametrize(
    ("scale", "zero_point", "mean", "std"),
    [(1 / 255, 0, 0.0, 255.0), (1 / 127.5, 128, 127.5, 127.5), (0.0, 0, 0.0, 1.0)],
)
def test_a_uint8_tensor_that_holds_plain_pixels_is_recognised(scale, zero_point, mean, std) -> None:
    assert quantum("uint8", scale, zero_point, mean=mean, std=std).is_identity


@pytest.mark.parametrize("mean", [127.0, 127.5])
def test_an_int8_tensor_that_holds_pixel_less_128_is_turned_bit_by_bit(mean) -> None:
    made = quantum("int8", 0.007843137718737125, -1, mean=mean, std=127.5)
    canvas = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    made.bind(canvas)(canvas)
    assert (made.tensor.reshape(-1) == np.arange(12) - 128).all()


def test_a_table_that_differs_by_channel_is_applied_by_channel() -> None:
    made = quantum("int8", 1.0, 0, mean=(0.0, 100.0, 200.0), std=(1.0, 1.0, 1.0))
    canvas = np.full((2, 2, 3), 100, np.uint8)
    made.bind(canvas)(canvas)
    assert made.tensor[0, 0, 0].tolist() == [100, 0, -100]
