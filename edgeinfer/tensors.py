"""What a tensor is: its place in a model, and the affine map between its integers and real values; nothing else.

Source: the quantization specification of TensorFlow Lite, `real = scale · (integer - zero_point)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Layout = Literal["NHWC", "NCHW"]


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One input or output tensor.

    `shape` holds -1 where the size is not known before the first invoke (an empty shape is the runtime's
    way to say that nothing is known). `scale` is 0.0 where the tensor is not quantized. `index` is the
    runtime's own number.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str  # numpy's name: int8, uint8, int16, float32, …
    scale: float
    zero_point: int
    index: int

    @property
    def quantized(self) -> bool:
        return self.scale > 0.0


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """All tensors of a model, in the runtime's order."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def input(self, name: str) -> TensorSpec:
        return next(t for t in self.inputs if t.name == name)

    def output(self, name: str) -> TensorSpec:
        return next(t for t in self.outputs if t.name == name)


def layout_of(tensor: TensorSpec) -> Layout | None:
    """Where a picture's 1 or 3 channels stand; None for a tensor that is no picture, (1, h, w, c) or (1, c, h, w)."""
    if len(tensor.shape) != 4 or tensor.shape[0] != 1:
        return None
    if tensor.shape[3] in {1, 3}:
        return "NHWC"
    return "NCHW" if tensor.shape[1] in {1, 3} else None


def size_of(picture: TensorSpec) -> tuple[int, int]:
    """(height, width) of a picture's tensor."""
    height, width = picture.shape[1:3] if layout_of(picture) == "NHWC" else picture.shape[2:4]
    return height, width


def dequantize(values: Array, spec: TensorSpec) -> NDArray[np.float32]:
    """Integers of `spec` to float32 real values; float tensors pass through."""
    real: NDArray[np.float32] = np.asarray(values, np.float32)
    return (real - np.float32(spec.zero_point)) * np.float32(spec.scale) if spec.quantized else real


def quantize(values: Array, spec: TensorSpec) -> Array:
    """Real values to integers of `spec`, rounded to nearest and saturated; float tensors are only cast."""
    if not spec.quantized:
        return values.astype(spec.dtype)
    limits = np.iinfo(spec.dtype)
    steps = np.rint(np.asarray(values, np.float32) / np.float32(spec.scale)) + spec.zero_point
    saturated: Array = np.clip(steps, limits.min, limits.max).astype(spec.dtype)
    return saturated
