"""Masks of a YOLO segment head: a weighted sum of prototypes, cut to each box, as an outline. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.decoders.outline import largest_part, outline, simplified
from edgeinfer.errors import BundleError
from edgeinfer.geometry import Point
from edgeinfer.tensors import TensorSpec, dequantize

Array = NDArray[Any]
Floats = NDArray[np.float32]
TOLERANCE_PX = 0.75
"""How far an outline may be from the mask's pixels: less than one, so that only stairs are straightened."""


class Prototypes:
    """`spec` (1, k, h, w) or (1, h, w, k); `size` is the (height, width) of the model's input."""

    def __init__(self, spec: TensorSpec, count: int, size: tuple[int, int]) -> None:
        """Raises BundleError when neither axis of `spec` has `count` prototypes."""
        if count not in (spec.shape[1], spec.shape[3]):
            raise BundleError(
                f"outputs.prototypes: expected {count}, the tensor {spec.name!r} has {spec.shape}"
            )
        self._spec, self._size = spec, size
        self._last = _stand_last(spec, count, size)
        self._grid = spec.shape[1:3] if self._last else spec.shape[2:4]

    def outlines(
        self, outputs: Mapping[str, Array], coefficients: Floats, corners: Floats
    ) -> list[tuple[Point, ...]]:
        """For each row of `coefficients` (m, k) the largest part of its mask in its box; the box where that is empty.

        `corners` (m, 4) and what comes back are normalised to the model's input.
        """
        stored = outputs[self._spec.name][0]
        stored = np.moveaxis(stored, -1, 0) if self._last else stored
        return [
            self._outline(stored, row, box) for row, box in zip(coefficients, corners.tolist(), strict=True)
        ]

    def _outline(self, stored: Array, row: Floats, box: list[float]) -> tuple[Point, ...]:
        height, width = self._size
        x0, y0, x1, y1 = box
        left, right = _pixels(x0 * width, x1 * width, width)
        top, bottom = _pixels(y0 * height, y1 * height, height)
        part = None
        if right > left and bottom > top:
            part = largest_part(self._logits(stored, row, (top, bottom), (left, right)) > 0)
        if part is None:
            return (x0, y0), (x1, y0), (x1, y1), (x0, y1)
        points = simplified(np.asarray(outline(part.mask), np.float64), TOLERANCE_PX)
        shifted = (points + np.array([left + part.left, top + part.top])) / (width, height)
        return tuple((x, y) for x, y in shifted.tolist())

    def _logits(self, stored: Array, row: Floats, ys: tuple[int, int], xs: tuple[int, int]) -> Floats:
        """Of the input's pixels in a box: bilinear between prototypes, which are dequantized only there.

        A sigmoid of them would be above 0.5 where they are above 0.
        """
        down, first_y, last_y = _weights(ys, self._size[0], self._grid[0])
        across, first_x, last_x = _weights(xs, self._size[1], self._grid[1])
        real = dequantize(stored[:, first_y:last_y, first_x:last_x], self._spec)
        return np.asarray(down @ np.tensordot(row, real, 1) @ across.T, np.float32)


def _stand_last(spec: TensorSpec, count: int, size: tuple[int, int]) -> bool:
    """Whether prototypes are the last axis. Where both could be, the grid has the proportions of the input."""
    if spec.shape[1] != spec.shape[3]:
        return spec.shape[3] == count
    return spec.shape[1] * size[1] == spec.shape[2] * size[0]


def _pixels(low: float, high: float, size: int) -> tuple[int, int]:
    """The pixels whose index lies in [low, high); none for what is no number (max prefers its first)."""
    return math.ceil(min(size, max(0.0, low))), math.ceil(min(size, max(0.0, high)))


def _weights(span: tuple[int, int], pixels: int, cells: int) -> tuple[Floats, int, int]:
    """The (pixels of `span`, cells) matrix of bilinear interpolation, and from which cell to which it is.

    A pixel's middle lies at (i + 0.5) · cells / pixels - 0.5 among the middles of the cells; the outermost are
    held beyond the edge.
    """
    at = np.clip((np.arange(*span) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
    low = np.minimum(at.astype(np.intp), max(0, cells - 2))
    first, last = int(low[0]), min(cells, int(low[-1]) + 2)
    weights = np.zeros((len(at), last - first), np.float32)
    rows = np.arange(len(at))
    weights[rows, low - first] = 1 - (at - low)
    if cells > 1:
        weights[rows, low - first + 1] = at - low
    return weights, first, last
