"""Pixel values to tensor values by table: a picture has 256 of them, so no float picture is ever made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import BundleError
from edgeinfer.store import InputOptions
from edgeinfer.tensors import TensorSpec, quantize

Array = NDArray[Any]

_TIE = 0.5 + 1e-3
"""A plain map is as right as any other while no value is further off than half a quantum (and float noise)."""


_TINY = 1e-6
_TYPES = ("uint8", "int8", "int16", "int32", "float16", "float32")
"""What OpenCV's tables give, and TensorFlow Lite's models take."""


class Quantum:
    """The map from pixels 0..255 to the values of one input tensor, and the tensor itself (`tensor`).

    Most int8 models need only `pixel - 128` and most uint8 models nothing: both are recognised here.
    """

    def __init__(self, spec: TensorSpec, options: InputOptions, channels: int) -> None:
        mean, std = (
            np.broadcast_to(np.asarray(v, np.float64), (channels,)) for v in (options.mean, options.std)
        )
        real = (np.arange(256.0)[:, None] - mean) / std  # (256, channels)
        _check(spec, real)
        self._table = quantize(real, spec)
        self._planes = options.layout == "NCHW" and channels > 1
        self.tensor: Array = np.zeros(spec.shape, spec.dtype)
        self._steps = real / spec.scale + spec.zero_point if spec.quantized else real
        self.is_identity = spec.dtype == "uint8" and self._is_plain(0) and not self._planes
        self._is_flip = spec.dtype == "int8" and self._is_plain(128) and not self._planes

    def _is_plain(self, offset: int) -> bool:
        return bool(np.abs(self._steps - (np.arange(256)[:, None] - offset)).max() <= _TIE)

    def bind(self, canvas: Array) -> Callable[[Array], None]:
        """What carries `canvas` (h, w, c) or (h, w) uint8 into the tensor."""
        if self.is_identity:
            return _nothing
        if self._is_flip:
            bits = self.tensor.view(np.uint8).reshape(canvas.shape)
            return lambda picture: _flip(picture, bits)
        if self._planes:
            return self._by_plane(canvas)
        return self._by_table(self._table, self.tensor.reshape(canvas.shape))

    @staticmethod
    def _by_table(table: Array, into: Array) -> Callable[[Array], None]:
        """One table for all channels where they are alike (OpenCV is twice as fast then)."""
        alike = bool((table == table[:, :1]).all())
        lut = np.ascontiguousarray(table[:, 0] if alike else table[None])
        if lut.dtype == np.int8:  # OpenCV takes bytes for bytes; the bits are the same
            lut, into = lut.view(np.uint8), into.view(np.uint8)
        return lambda picture: _look_up(picture, lut, into)

    def _by_plane(self, canvas: Array) -> Callable[[Array], None]:
        plane = np.empty(canvas.shape[:2], np.uint8)
        steps = [self._by_table(self._table[:, i : i + 1], self.tensor[0, i]) for i in range(canvas.shape[2])]

        def carry(picture: Array) -> None:
            for i, step in enumerate(steps):
                np.copyto(plane, picture[..., i])
                step(plane)

        return carry


def _check(spec: TensorSpec, real: NDArray[np.float64]) -> None:
    """Raises BundleError for types that no picture goes into, and for integers that would lose it."""
    if spec.dtype not in _TYPES:
        text = f"expected one of {', '.join(_TYPES)}; {spec.name!r} is {spec.dtype}"
        raise BundleError(f"input.name: a picture cannot be put into this input: {text}")
    if spec.quantized or spec.dtype.startswith("float"):
        return
    limits, steps = np.iinfo(spec.dtype), np.diff(real, axis=0)
    if real.min() < limits.min or real.max() > limits.max or (np.abs(steps - 1) > _TINY).any():
        text = f"{spec.name!r} is {spec.dtype} without a scale, so it takes pixels as they are"
        raise BundleError(
            f"input.std: expected 1, and a mean that keeps pixels within {limits.min}..{limits.max}: {text}"
        )


def _nothing(_: Array) -> None:
    pass


def _flip(picture: Array, bits: Array) -> None:
    """`pixel - 128` as int8: the highest bit turned over."""
    np.bitwise_xor(picture, np.uint8(0x80), out=bits)


def _look_up(picture: Array, lut: Array, into: Array) -> None:
    out = cv2.LUT(picture, lut, dst=into)
    if out is not into:
        into[...] = out
