"""Masks of a YOLO segment head: a weighted sum of prototypes, cut to each box, as an outline. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

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
        """For each row of `coefficients` (m, k) the largest part of its mask in its box; () where that is empty.

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
            return ()
        points = simplified(np.asarray(outline(part.mask), np.float64), TOLERANCE_PX)
        shifted = (points + np.array([left + part.left, top + part.top])) / (width, height)
        return tuple((x, y) for x, y in shifted.tolist())

    def _logits(self, stored: Array, row: Floats, ys: tuple[int, int], xs: tuple[int, int]) -> Floats:
        """Of the input's pixels in a box: bilinear between prototypes, which are dequantized only there.

        A sigmoid of them would be above 0.5 where they are above 0.
        """
        down, across = (
            _Between.of(ys, self._size[0], self._grid[0]),
            _Between.of(xs, self._size[1], self._grid[1]),
        )
        real = dequantize(stored[:, down.cells, across.cells], self._spec)
        coarse = np.tensordot(row, real, 1)
        return across.spread(down.spread(coarse).T).T


def _stand_last(spec: TensorSpec, count: int, size: tuple[int, int]) -> bool:
    """Whether prototypes are the last axis. Where both could be, the grid has the proportions of the input."""
    if spec.shape[1] != spec.shape[3]:
        return spec.shape[3] == count
    return spec.shape[1] * size[1] == spec.shape[2] * size[0]


def _pixels(low: float, high: float, size: int) -> tuple[int, int]:
    """The pixels whose index lies in [low, high); none for what is no number (max prefers its first)."""
    return math.ceil(min(size, max(0.0, low))), math.ceil(min(size, max(0.0, high)))


class _Between(NamedTuple):
    """Bilinear interpolation along the first axis, from `cells` of a grid to pixels.

    A pixel's middle lies at (i + 0.5) · cells / pixels - 0.5 among the middles of the cells; the outermost cells
    hold beyond the edge. No matrix: BLAS would start threads for it.
    """

    cells: slice
    low: NDArray[np.intp]
    high: NDArray[np.intp]
    share: Floats  # of the higher of both

    @classmethod
    def of(cls, span: tuple[int, int], pixels: int, cells: int) -> _Between:
        at = np.clip((np.arange(*span) + 0.5) * cells / pixels - 0.5, 0, cells - 1)
        low = at.astype(np.intp)
        high = np.minimum(low + 1, cells - 1)
        first = int(low[0])
        share = (at - low).astype(np.float32)[:, None]
        return cls(slice(first, int(high[-1]) + 1), low - first, high - first, share)

    def spread(self, grid: Floats) -> Floats:
        low = grid[self.low]
        return np.asarray(low + (grid[self.high] - low) * self.share, np.float32)
