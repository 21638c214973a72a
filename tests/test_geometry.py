"""Boxes, zones and affine maps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.geometry import Affine, Box, contains, iou, is_simple

share = st.floats(0, 1)
factor = st.floats(0.1, 10)
shift = st.floats(-5, 5)
boxes = st.tuples(share, share, share, share).map(
    lambda v: Box(min(v[0], v[2]), min(v[1], v[3]), max(v[0], v[2]), max(v[1], v[3]))
)
SQUARE = [(0.2, 0.2), (0.8, 0.2), (0.8, 0.8), (0.2, 0.8)]


@given(factor, factor, shift, shift, share, share)
def test_an_affine_map_and_its_inverse_undo_each_other(sx, sy, ox, oy, x, y) -> None:
    there = Affine(sx, sy, ox, oy)
    assert there.inverse().point(there.point((x, y))) == pytest.approx((x, y), abs=1e-9)


@given(boxes, boxes)
def test_overlap_is_symmetric_and_between_0_and_1(a: Box, b: Box) -> None:
    assert 0 <= iou(a, b) <= 1 + 1e-9
    assert iou(a, b) == pytest.approx(iou(b, a))


@given(boxes)
def test_a_box_overlaps_itself_whole_unless_it_is_empty(box: Box) -> None:
    assert iou(box, box) == pytest.approx(1.0 if box.area > 0 else 0.0)


def test_a_box_is_clipped_to_the_picture() -> None:
    assert Box(-0.5, 0.25, 1.5, 0.75).clipped() == Box(0, 0.25, 1, 0.75)


def test_a_box_has_a_centre_and_a_foot() -> None:
    box = Box(0.25, 0.0, 0.75, 0.5)
    assert (box.centre, box.foot) == ((0.5, 0.25), (0.5, 0.5))


def test_a_zone_contains_its_inside_only() -> None:
    assert contains(SQUARE, (0.5, 0.5))
    assert not contains(SQUARE, (0.9, 0.5))


def test_a_zone_must_have_three_corners_and_no_crossing_sides() -> None:
    assert is_simple(SQUARE)
    assert not is_simple(SQUARE[:2])
    assert not is_simple([SQUARE[0], SQUARE[2], SQUARE[1], SQUARE[3]])
