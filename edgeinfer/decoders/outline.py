"""The outline of the largest part of a mask, in numpy; knows no model and no picture."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Indices = NDArray[np.intp]
Corner = tuple[int, int]  # x, y: corners of cells, not their middles


class Part(NamedTuple):
    """Cells that touch: `mask` is cut to them, its first cell is (`left`, `top`) of the whole."""

    mask: Mask
    left: int
    top: int
    area: int  # cells


def largest_part(mask: Mask) -> Part | None:
    """Of the cells (rows, columns) that are True and touch by side or corner, the most; None where there are none."""
    rows, starts, ends = _runs(mask)
    if not len(rows):
        return None
    owner = _components(rows, starts, ends, mask.shape[1])
    areas = np.bincount(owner, ends - starts)
    mine = owner == areas.argmax()
    return _cut(rows[mine], starts[mine], ends[mine])


def outline(mask: Mask) -> list[Corner]:
    """The outer border of the part that holds the first True cell, clockwise, a corner at each turn; holes are not seen.

    Walks the cracks between cells with the part on its right (square tracing); cells that touch at a corner are one.
    """
    height, width = mask.shape
    step = width + 2
    cells = np.zeros((height + 2, step), np.uint8)
    cells[1:-1, 1:-1] = mask
    flat = cells.tobytes()  # bytes are the fastest thing that Python can look into
    first = flat.find(1)
    if first < 0:
        return []
    return [(at % step - 1, at // step - 1) for at in _walk(flat, step, first)]


def _walk(flat: bytes, step: int, first: int) -> list[int]:
    """Corners where the walk turns; a corner is named by the cell to the right of and below it."""
    # Ahead of a corner, in each direction (right, down, left, up): the cell on the left hand, on the right, the move.
    table = ((-step, 0, 1), (0, -1, step), (-1, -step - 1, -1), (-step - 1, -step, -step))
    at, direction, turns = first, 0, [first]
    while True:
        at += table[direction][2]
        left, right, _ = table[direction]
        if flat[at + left]:
            turn = 3
        elif flat[at + right]:
            turn = 0
        else:
            turn = 1
        if at == first and (direction + turn) % 4 == 0:
            return turns
        if turn:
            turns.append(at)
            direction = (direction + turn) % 4


def simplified(points: NDArray[Any], tolerance: float) -> NDArray[Any]:
    """Of a closed outline (n, 2), the points that are needed to stay within `tolerance` of it (Douglas and Peucker)."""
    n = len(points)
    if n < 4:
        return points
    far = int(np.square(points - points[0]).sum(axis=1).argmax())
    closed = np.concatenate([points, points[:1]])
    keep = np.zeros(n + 1, bool)
    keep[[0, far, n]] = True
    left = [(0, far), (far, n)]
    while left:
        start, end = left.pop()
        if end - start < 2:
            continue
        distances = _distances(closed[start + 1 : end], closed[start], closed[end])
        at = int(distances.argmax())
        if distances[at] > tolerance:
            middle = start + 1 + at
            keep[middle] = True
            left += [(start, middle), (middle, end)]
    return points[keep[:n]]


def _distances(points: NDArray[Any], a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any]:
    """From the line through `a` and `b`, or from the point where they are one."""
    side, away = b - a, points - a
    length = float(np.hypot(*side))
    if length == 0:
        return np.asarray(np.hypot(away[:, 0], away[:, 1]))
    return np.asarray(np.abs(side[0] * away[:, 1] - side[1] * away[:, 0]) / length)


def _runs(mask: Mask) -> tuple[Indices, Indices, Indices]:
    """Row, first column and the one behind the last of every stretch of True cells, row by row."""
    padded = np.zeros((mask.shape[0], mask.shape[1] + 2), np.int8)
    padded[:, 1:-1] = mask
    steps = np.diff(padded, axis=1)
    rows, starts = np.nonzero(steps == 1)
    return rows, starts, np.nonzero(steps == -1)[1]


def _components(rows: Indices, starts: Indices, ends: Indices, width: int) -> Indices:
    """For each run, the number of the part that it belongs to."""
    above, below = _touching(rows, starts, ends, width + 2)
    owner = np.arange(len(rows))
    while True:
        a, b = owner[above], owner[below]
        if (a == b).all():
            return owner
        np.minimum.at(owner, np.maximum(a, b), np.minimum(a, b))
        while (owner != (short := owner[owner])).any():
            owner = short


def _touching(rows: Indices, starts: Indices, ends: Indices, step: int) -> tuple[Indices, Indices]:
    """Pairs of runs of neighbouring rows that touch. Runs are in order, so those below one are neighbours too."""
    low = np.searchsorted(rows * step + ends, (rows + 1) * step + starts, "left")
    high = np.searchsorted(rows * step + starts, (rows + 1) * step + ends, "right")
    counts = np.maximum(high - low, 0)
    above = np.repeat(np.arange(len(rows)), counts)
    behind = np.cumsum(counts) - counts
    below = np.arange(len(above)) - np.repeat(behind, counts) + np.repeat(low, counts)
    return above, below


def _cut(rows: Indices, starts: Indices, ends: Indices) -> Part:
    left, top = int(starts.min()), int(rows[0])
    steps = np.zeros((int(rows[-1]) - top + 1, int(ends.max()) - left + 1), np.int8)
    steps[rows - top, starts - left] = 1
    steps[rows - top, ends - left] = -1
    mask = np.cumsum(steps, axis=1, dtype=np.int8)[:, :-1].astype(bool)
    return Part(mask, left, top, int((ends - starts).sum()))
