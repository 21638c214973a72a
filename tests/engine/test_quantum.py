"""Pixel values to tensor values."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.engine.quantum import Quantum
from edgeinfer.errors import BundleError
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


@pytest.mark.parametrize("dtype", ["int64", "bool", "float64"])
def test_a_type_that_no_picture_goes_into_is_refused(dtype) -> None:
    with pytest.raises(BundleError, match=rf"input\.name: .* 't' is {dtype}"):
        quantum(dtype, 0.0, 0)


@pytest.mark.parametrize(
    ("dtype", "options"), [("uint8", {"std": 255.0}), ("int8", {}), ("int32", {"std": 2.0})]
)
def test_integers_without_a_scale_that_would_lose_the_picture_are_refused(dtype, options) -> None:
    with pytest.raises(BundleError, match=r"input\.std: expected 1, .* without a scale"):
        quantum(dtype, 0.0, 0, **options)


@pytest.mark.parametrize(("dtype", "mean"), [("int32", 0.0), ("int8", 128.0), ("float16", 0.0)])
def test_a_tensor_without_a_scale_takes_pixels_as_they_are(dtype, mean) -> None:
    made = quantum(dtype, 0.0, 0, mean=mean)
    canvas = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    made.bind(canvas)(canvas)
    assert made.tensor.reshape(-1).tolist() == [i - mean for i in range(12)]
