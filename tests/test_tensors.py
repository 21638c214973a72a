"""Quantize and dequantize."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeinfer.tensors import ModelSpec, TensorSpec, dequantize, quantize

scales = st.floats(2**-13, 8.0, width=32)


def spec(dtype: str, scale: float, zero_point: int) -> TensorSpec:
    return TensorSpec("t", (1, 4), dtype, scale, zero_point, 0)


@given(arrays(np.int8, 16), scales, st.integers(-128, 127))
def test_int8_survives_the_way_to_real_values_and_back(
    values: np.ndarray, scale: float, zero_point: int
) -> None:
    tensor = spec("int8", scale, zero_point)
    assert (quantize(dequantize(values, tensor), tensor) == values).all()


@given(arrays(np.uint8, 16), scales, st.integers(0, 255))
def test_uint8_survives_the_way_to_real_values_and_back(
    values: np.ndarray, scale: float, zero_point: int
) -> None:
    tensor = spec("uint8", scale, zero_point)
    assert (quantize(dequantize(values, tensor), tensor) == values).all()


@given(arrays(np.float32, 16, elements=st.floats(-1, 1, width=32)))
def test_a_real_value_comes_back_within_half_a_quantum(values: np.ndarray) -> None:
    tensor = spec("int8", 1 / 127, 0)
    assert np.abs(dequantize(quantize(values, tensor), tensor) - values).max() <= 0.5 / 127 + 1e-6


def test_what_lies_outside_of_the_range_is_saturated() -> None:
    assert quantize(np.array([-1e9, 1e9]), spec("int8", 0.1, 3)).tolist() == [-128, 127]


def test_a_float_tensor_passes_through_without_a_copy() -> None:
    values = np.ones(4, np.float32)
    assert dequantize(values, spec("float32", 0.0, 0)) is values
    assert quantize(values, spec("float32", 0.0, 0)).dtype == np.float32


def test_tensors_are_found_by_name() -> None:
    tensor = spec("int8", 0.1, 0)
    model = ModelSpec((tensor,), (tensor,))
    assert model.input("t") is tensor
    assert model.output("t") is tensor
