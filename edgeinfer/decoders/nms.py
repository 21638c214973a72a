"""Non-maximum suppression: of boxes of one class that overlap, the best stays; nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 24
"""Up to so many boxes it is cheapest to compare all pairs at once; above, each that stays with all behind it."""

_FAR = 1e6  # what a broken model says beyond that must neither overflow nor be no number

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]
Covers = Callable[[int], NDArray[np.bool_]]
"""Which of the boxes behind the given one it covers."""


def nms(boxes: Floats, scores: Floats, classes: NDArray[Any], iou: float, limit: int) -> Indices:
    """Which boxes stay, best first; equal scores keep their order.

    Args:
        boxes: (n, 4) corners: the lower one of both axes first, then the upper one (x0 y0 x1 y1, or y0 x0 y1 x1).
        scores: (n,).
        classes: (n,) integers; boxes of different classes never suppress one another.
        iou: boxes that overlap more than this with a better one go.
        limit: at most so many stay.
    """
    order = np.argsort(-scores, kind="stable")
    if len(order) <= 1:
        return order[:limit]
    covers = (_pairs if len(order) <= _AT_ONCE else _behind)(boxes[order], classes[order], iou)
    return order[_walk(len(order), covers, limit)]


def _walk(n: int, covers: Covers, limit: int) -> list[int]:
    """The best of those that are left stays, and takes away what it covers, until none is left."""
    alive = np.ones(n, bool)
    kept: list[int] = []
    for i in range(n):
        if alive[i]:
            kept.append(i)
            if len(kept) >= limit:
                break
            alive[i + 1 :] &= ~covers(i)
    return kept


def _pairs(boxes: Floats, classes: NDArray[Any], iou: float) -> Covers:
    covered = _covered(boxes, classes, iou)
    return lambda i: covered[i, i + 1 :]


def _behind(boxes: Floats, classes: NDArray[Any], iou: float) -> Covers:
    """Boxes of different classes are moved so far apart that they cannot overlap (float64 holds both exactly).

    both > iou · (a + b - both) is both > (a + b) · iou / (1 + iou): ten passes over what is behind the box.
    """
    boxes = np.clip(np.nan_to_num(boxes), -_FAR, _FAR)
    x0, y0, x1, y1 = boxes.T + classes * (float(boxes.max() - boxes.min()) + 1.0)
    areas = np.maximum(x1 - x0, 0) * np.maximum(y1 - y0, 0) * (iou / (1 + iou))

    def covered(i: int) -> NDArray[np.bool_]:
        width = np.minimum(x1[i + 1 :], x1[i]) - np.maximum(x0[i + 1 :], x0[i])
        height = np.minimum(y1[i + 1 :], y1[i]) - np.maximum(y0[i + 1 :], y0[i])
        both = np.maximum(width, 0, out=width) * height
        return np.asarray(both > areas[i + 1 :] + areas[i])

    return covered


def _covered(boxes: Floats, classes: NDArray[Any], iou: float) -> NDArray[np.bool_]:
    """(n, n): where two boxes of one class overlap by more than `iou`; without a division."""
    sides = np.minimum(boxes[:, None, 2:], boxes[:, 2:]) - np.maximum(boxes[:, None, :2], boxes[:, :2])
    np.maximum(sides, 0, out=sides)
    both = sides[..., 0] * sides[..., 1]
    areas = both.diagonal()
    covered: NDArray[np.bool_] = both > iou * (areas[:, None] + areas - both)
    if classes.size and (classes != classes[0]).any():
        covered &= classes[:, None] == classes
    return covered
