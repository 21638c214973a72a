"""Masks to outlines."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from edgeinfer.decoders.outline import largest_part, outline, simplified

masks = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))


def mask(*rows: str) -> np.ndarray:
    return np.array([[cell == "#" for cell in row] for row in rows])


def area(points) -> float:
    x, y = np.asarray(points, float).T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def test_a_single_cell_is_a_square_around_it() -> None:
    assert outline(mask("..", ".#")) == [(1, 1), (2, 1), (2, 2), (1, 2)]


def test_an_l_has_six_corners() -> None:
    assert outline(mask("#.", "##")) == [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2), (0, 2)]


def test_cells_that_touch_at_a_corner_are_one_part() -> None:
    part = largest_part(mask("#..", ".#.", "...", "..#"))
    assert part is not None
    assert (part.area, part.left, part.top) == (2, 0, 0)
    assert area(outline(part.mask)) == 2


def test_the_largest_of_several_is_taken_where_it_stands() -> None:
    part = largest_part(mask("#....", "...##", "...##"))
    assert part is not None
    assert (part.area, part.left, part.top) == (4, 3, 1)
    assert part.mask.all()


def test_holes_are_not_seen() -> None:
    assert outline(mask("###", "#.#", "###")) == [(0, 0), (3, 0), (3, 3), (0, 3)]


def test_an_empty_mask_has_neither_part_nor_outline() -> None:
    assert largest_part(np.zeros((3, 3), bool)) is None
    assert outline(np.zeros((3, 3), bool)) == []


@given(masks)
def test_the_largest_part_is_that_of_opencv(cells) -> None:
    count, _, stats, _ = cv2.connectedComponentsWithStats(cells.astype(np.uint8), connectivity=8)
    part = largest_part(cells)
    if count == 1:
        assert part is None
        return
    assert part is not None
    assert part.area == stats[1:, cv2.CC_STAT_AREA].max() == part.mask.sum()
    rows, columns = part.mask.shape
    assert not (part.mask & ~cells[part.top : part.top + rows, part.left : part.left + columns]).any()


@given(masks)
def test_an_outline_holds_just_the_cells_of_its_part_and_their_holes(cells) -> None:
    part = largest_part(cells)
    if part is None:
        return
    filled = np.pad(part.mask, 1).astype(np.uint8)
    cv2.floodFill(filled, None, (0, 0), 2, flags=4)  # the outside; holes stay 0
    assert area(outline(part.mask)) == (filled != 2).sum()


def test_a_spiral_is_one_part() -> None:
    cells, n = np.zeros((61, 61), bool), 61
    for i in range(0, 30, 2):
        cells[i, i : n - i] = cells[n - 1 - i, i : n - i] = True
        cells[i : n - i, n - 1 - i] = cells[i + 2 : n - i, i] = True
        cells[i + 2, i : i + 3] = True
    part = largest_part(cells)
    assert part is not None
    assert part.area == cells.sum()


@given(st.integers(0, 1000), st.floats(0.1, 3))
def test_what_is_left_of_an_outline_stays_within_the_tolerance(seed, tolerance) -> None:
    angles = np.sort(np.random.default_rng(seed).uniform(0, 2 * np.pi, 60))
    points = np.stack([20 * np.cos(angles), 12 * np.sin(angles)], axis=1)
    kept = simplified(points, tolerance)
    polygon = kept.astype(np.float32).reshape(-1, 1, 2)
    furthest = max(abs(cv2.pointPolygonTest(polygon, (float(x), float(y)), True)) for x, y in points)
    assert furthest <= tolerance + 1e-4


def test_points_on_a_line_are_left_out() -> None:
    square = np.array([(0, 0), (1, 0), (2, 0), (2, 1), (2, 2), (1, 2), (0, 2), (0, 1)], float)
    assert len(simplified(square, 0.1)) == 4


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_few_points_stay_as_they_are(n) -> None:
    assert len(simplified(np.arange(2.0 * n).reshape(n, 2), 10)) == n
