"""Anchors of a grid, against a loop, and BlazeFace's boxes decoded with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgeinfer.decoders.anchors import grid_anchors
from edgeinfer.decoders.ssd import Ssd
from edgeinfer.errors import BundleError
from tests.decoders.places import place, tensor

GRID = ((8, 2), (16, 6))


def by_a_loop(height: int, width: int) -> list[tuple[float, ...]]:
    found = []
    for stride, count in GRID:
        rows, columns = height // stride, width // stride
        for y in range(rows):
            for x in range(columns):
                found += [((y + 0.5) / rows, (x + 0.5) / columns, 1.0, 1.0)] * count
    return found


def test_they_are_the_middles_of_cells_row_by_row() -> None:
    assert np.allclose(grid_anchors((128, 96), GRID), by_a_loop(128, 96))
    assert len(grid_anchors((128, 128), GRID)) == 896  # BlazeFace's


def blazeface(**options) -> Ssd:
    boxes, scores = tensor("boxes", (1, 896, 16), "float32"), tensor("scores", (1, 896, 1), "float32")
    where = place(("face",), {}, boxes=boxes, scores=scores)
    picture = tensor("picture", (1, 128, 128, 3), "float32")
    where = replace(where, spec=replace(where.spec, inputs=(picture,)))
    given = {"grid": GRID, "box": "xywh", "sizes": "plain", "box_scale": (128.0,) * 4, "background": False}
    return Ssd(Ssd.Options(**given | options), where)


def test_a_box_is_an_offset_in_pixels_and_a_plain_size_with_eyes_behind_it() -> None:
    boxes, scores = np.full((1, 896, 16), 7, np.float32), np.full((1, 896, 1), -100, np.float32)
    n = (3 * 16 + 5) * 2  # first anchor of the cell in row 3, column 5
    boxes[0, n, :4] = 6.4, -12.8, 32.0, 64.0  # x y w h in pixels
    scores[0, n] = 2.0
    (face,) = blazeface().decode({"boxes": boxes, "scores": scores})
    cx, cy = 5.5 / 16 + 0.05, 3.5 / 16 - 0.1
    assert (face.label, face.score) == ("face", pytest.approx(1 / (1 + np.exp(-2.0))))
    assert face.box == pytest.approx((cx - 0.125, cy - 0.25, cx + 0.125, cy + 0.25), abs=1e-6)


def test_another_grid_than_the_outputs_is_told() -> None:
    with pytest.raises(BundleError, match=r"expected \(1, 512, 4\) for 512 anchors"):
        blazeface(grid=((8, 2),))


def test_anchors_and_a_grid_exclude_one_another() -> None:
    with pytest.raises(BundleError, match=r"decoder\.grid: stands for anchors of its own"):
        blazeface(anchors="a.npy")


def test_a_grid_needs_a_picture() -> None:
    where = place(("face",), {}, boxes=tensor("boxes", (1, 896, 16)), scores=tensor("scores", (1, 896, 1)))
    with pytest.raises(BundleError, match=r"decoder\.grid: needs an input that is a picture"):
        Ssd(Ssd.Options(grid=GRID), where)
