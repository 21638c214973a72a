"""Non-maximum suppression: of boxes of one class that overlap, the best stays; nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    areas = np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1)
    alive = np.ones(len(order), bool)
    kept: list[int] = []
    for i in range(len(order)):
        if not alive[i]:
            continue
        kept.append(i)
        if len(kept) >= limit:
            break
        alive[i + 1 :] &= ~_covered(boxes[i], areas[i], boxes[i + 1 :], areas[i + 1 :], iou) | (
            classes[i + 1 :] != classes[i]
        )
    return order[kept]


def _covered(box: Floats, area: np.float32, others: Floats, areas: Floats, iou: float) -> NDArray[np.bool_]:
    """Which of `others` (n, 4) overlap `box` (4,) by more than `iou`; without a division."""
    sides = np.maximum(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0)
    both = sides[:, 0] * sides[:, 1]
    return np.asarray(both > iou * (area + areas - both))
