"""Non-maximum suppression: of boxes of one class that overlap, the best stays; nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_AT_ONCE = 256
"""Up to so many boxes all pairs are compared at once; above, only with those that stay (n² would be megabytes)."""

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]


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
    boxes, classes = boxes[order], classes[order]
    pairs = _covered(boxes, classes, iou) if len(order) <= _AT_ONCE else None
    alive = np.ones(len(order), bool)
    kept: list[int] = []
    for i in range(len(order)):
        if alive[i]:
            kept.append(i)
            if len(kept) >= limit:
                break
            alive[pairs[i] if pairs is not None else _covered_by(i, boxes, classes, iou)] = False
    return order[kept]


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


def _covered_by(i: int, boxes: Floats, classes: NDArray[Any], iou: float) -> NDArray[np.bool_]:
    """(n,): the row `i` of what `_covered` gives."""
    sides = np.minimum(boxes[i, 2:], boxes[:, 2:]) - np.maximum(boxes[i, :2], boxes[:, :2])
    both = np.maximum(sides, 0, out=sides).prod(axis=1)
    areas = np.maximum(boxes[:, 2:] - boxes[:, :2], 0).prod(axis=1)
    covered: NDArray[np.bool_] = (both > iou * (areas[i] + areas - both)) & (classes == classes[i])
    return covered
