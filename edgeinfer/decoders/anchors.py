"""Anchors that follow from the size of a model's input: the middle of each cell of a grid, all of the input's size. Pure.

Source: ssd_anchors_calculator.cc of MediaPipe with `fixed_anchor_size`, as BlazeFace uses it (arXiv 1907.05047).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def grid_anchors(size: tuple[int, int], grids: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """(n, 4) float32: cy, cx, h = 1, w = 1, normalised; row by row, each cell so often as it has anchors.

    Args:
        size: height and width of the model's input in pixels.
        grids: stride in pixels and anchors per cell, in the order of the model's outputs.
    """
    return np.concatenate([_grid(size, stride, count) for stride, count in grids])


def _grid(size: tuple[int, int], stride: int, count: int) -> NDArray[np.float32]:
    rows, columns = (max(1, side // stride) for side in size)
    cy, cx = np.mgrid[:rows, :columns].astype(np.float32)
    centres = np.stack([(cy + 0.5) / rows, (cx + 0.5) / columns], axis=-1).reshape(-1, 2)
    return np.repeat(np.hstack([centres, np.ones_like(centres)]), count, axis=0)
