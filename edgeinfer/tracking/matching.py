"""Who goes with whom: the pairs that together are most alike; knows nothing of boxes' past or labels.

The best sum over all pairs is the assignment problem. What is clear (each is the other's only choice) is taken at
once; the rest is solved exactly by shortest augmenting paths (Jonker and Volgenant 1987; Crouse 2016 for rectangles).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Indices = NDArray[np.intp]


def overlaps(a: Reals, b: Reals) -> Reals:
    """(n, m): intersection over union of boxes (n, 4) and (m, 4), x0 y0 x1 y1."""
    sides = np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])
    np.maximum(sides, 0, out=sides)
    both = sides[..., 0] * sides[..., 1]
    union = _areas(a)[:, None] + _areas(b) - both
    shares: Reals = both / np.maximum(union, np.finfo(float).tiny)
    return shares


def match(alike: Reals, least: float) -> tuple[Indices, Indices]:
    """Rows and columns of the pairs with the largest sum of `alike - least`; each at most once, in order of rows.

    Args:
        alike: (n, m); NaN is never a pair.
        least: who is alike by no more than this is no pair.
    """
    rows, columns = np.nonzero(alike > least)
    clear = (np.bincount(rows)[rows] == 1) & (np.bincount(columns)[columns] == 1) if rows.size else rows > 0
    if clear.all():
        return rows, columns
    torn_rows, torn_columns = np.unique(rows[~clear]), np.unique(columns[~clear])
    gain = np.nan_to_num(alike[np.ix_(torn_rows, torn_columns)] - least, nan=0.0)
    found_rows, found_columns = _best(np.maximum(gain, 0.0))
    rows = np.concatenate([rows[clear], torn_rows[found_rows]])
    columns = np.concatenate([columns[clear], torn_columns[found_columns]])
    order = np.argsort(rows)
    return rows[order], columns[order]


def _best(gain: Reals) -> tuple[Indices, Indices]:
    """The pairs of the largest sum; those that gain nothing stay alone."""
    n, m = gain.shape
    # A column of its own for each row, where it may stay alone: then every row finds a place.
    cost = np.hstack([-gain, np.zeros((n, n))])
    place = _assign(cost)
    rows = np.flatnonzero(place < m)
    rows = rows[gain[rows, place[rows]] > 0]
    return rows, place[rows]


def _assign(cost: Reals) -> Indices:
    """The column of each row, with the least sum of `cost` (n, m), n <= m."""
    place, owner = np.full(len(cost), -1), np.full(cost.shape[1], -1)
    u, v = cost.min(axis=1), np.zeros(cost.shape[1])  # the dual: cost - u - v >= 0, and 0 on each pair taken
    free = []
    for row, column in enumerate(cost.argmin(axis=1).tolist()):
        if owner[column] < 0:
            owner[column], place[row] = row, column
        else:
            free.append(row)
    for row in free:
        _augment(row, cost, u, v, place, owner)
    return place


def _augment(row: int, cost: Reals, u: Reals, v: Reals, place: Indices, owner: Indices) -> None:
    """Gives `row` a place by the shortest path to a free column; those on the way move on by one."""
    far, behind = cost[row] - u[row] - v, np.full(len(v), row)
    open_, done = far.copy(), []
    while True:
        column = int(open_.argmin())
        least, at = float(open_[column]), int(owner[column])
        if at < 0:
            break
        done.append(column)
        open_[column] = np.inf
        way = least + cost[at] - u[at] - v
        nearer = way < open_
        nearer[done] = False
        far[nearer] = open_[nearer] = way[nearer]
        behind[nearer] = at
    u[row] += least
    u[owner[done]] += least - far[done]
    v[done] -= least - far[done]
    while column >= 0:
        at = int(behind[column])
        owner[column] = at
        place[at], column = column, int(place[at]) if at != row else -1


def _areas(boxes: Reals) -> Reals:
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    areas: Reals = sides[:, 0] * sides[:, 1]
    return areas
