"""A grid of class probabilities to detections."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from edgeinfer.decoders.grid import Grid, connected
from edgeinfer.errors import BundleError
from tests.decoders.places import place, tensor

ROWS, COLUMNS = 4, 8


def heat(channels: int, dtype: str = "int8"):
    return tensor("heat", (1, ROWS, COLUMNS, channels), dtype, 0.1 if dtype == "int8" else 0.0, 0)


def decoder(channels: int = 3, labels=("good", "bad"), dtype: str = "int8", **options) -> Grid:
    options = {"box_size": (0.25, 0.25)} | options
    return Grid(Grid.Options(**options), place(labels, heat=heat(channels, dtype)))


def cells(channels: int, *marks: tuple[int, int, int, int]) -> dict[str, np.ndarray]:
    """Background everywhere (50) but at the marks (row, column, channel, integer)."""
    values = np.zeros((1, ROWS, COLUMNS, channels), np.int8)
    values[..., 0] = 50
    for row, column, channel, value in marks:
        values[0, row, column] = 0
        values[0, row, column, channel] = value
    return {"heat": values}


def test_one_cell_is_one_box_around_its_middle() -> None:
    (found,) = decoder().decode(cells(3, (1, 2, 1, 100)))
    assert found.label == "good"
    assert found.box == pytest.approx((2.5 / 8 - 0.125, 1.5 / 4 - 0.125, 2.5 / 8 + 0.125, 1.5 / 4 + 0.125))
    assert found.score == pytest.approx(np.exp(10) / (np.exp(10) + 2), abs=1e-6)


def test_cells_that_touch_at_a_corner_are_one_finding() -> None:
    assert len(decoder().decode(cells(3, (0, 0, 1, 100), (1, 1, 1, 100)))) == 1


def test_cells_of_two_classes_are_two_findings() -> None:
    found = decoder().decode(cells(3, (0, 0, 1, 100), (0, 1, 2, 120)))
    assert [d.label for d in found] == ["bad", "good"]


def test_cells_apart_are_two_findings() -> None:
    assert len(decoder().decode(cells(3, (0, 0, 1, 100), (0, 2, 1, 100)))) == 2


def test_the_centroid_leans_to_the_surer_cell_and_the_score_is_its_own() -> None:
    (found,) = decoder(activation="sigmoid").decode(cells(3, (1, 2, 1, 60), (1, 3, 1, 20)))
    p, q = 1 / (1 + np.exp(-6)), 1 / (1 + np.exp(-2))
    assert found.score == pytest.approx(p)
    assert found.box.centre[0] == pytest.approx((p * 2.5 + q * 3.5) / (p + q) / 8)


def test_a_box_of_cells_is_their_hull() -> None:
    (found,) = decoder(cells="box", box_size=None).decode(cells(3, (1, 2, 1, 100), (2, 3, 1, 100)))
    assert found.box == (2 / 8, 1 / 4, 4 / 8, 3 / 4)


def test_a_cell_below_the_score_or_not_the_largest_is_nothing() -> None:
    assert decoder(score=0.9).decode(cells(3, (0, 0, 1, 10))) == []
    outputs = cells(3, (0, 0, 1, 100))
    outputs["heat"][0, 0, 0, 0] = 101
    assert decoder(activation="sigmoid").decode(outputs) == []


def test_without_a_background_every_channel_is_a_class() -> None:
    found = decoder(3, ("a", "b", "c"), background=False, cells="box").decode(cells(3))
    assert [(d.label, d.box) for d in found] == [("a", (0, 0, 1, 1))]


def test_float_probabilities_are_taken_as_they_are() -> None:
    values = np.zeros((1, ROWS, COLUMNS, 3), np.float32)
    values[0, 0, 0] = (0.1, 0.8, 0.1)
    (found,) = decoder(dtype="float32", activation="none").decode({"heat": values})
    assert found.score == pytest.approx(0.8)


@given(arrays(np.int8, (1, ROWS, COLUMNS, 3)), st.floats(0.34, 0.95))
def test_every_cell_that_counts_belongs_to_exactly_one_finding(values, score) -> None:
    found = decoder(cells="box", score=score, max_findings=1000).decode({"heat": values})
    real = values[0].astype(np.float32) * np.float32(0.1)
    powers = np.exp(real - real.max(axis=-1, keepdims=True))
    p = powers / powers.sum(axis=-1, keepdims=True)
    best = real.argmax(axis=-1)
    counts = (best > 0) & (p.max(axis=-1) >= score)
    assert bool(found) == bool(counts.any())
    for row, column in np.argwhere(counts):
        label = ("good", "bad")[best[row, column] - 1]
        middle = ((column + 0.5) / COLUMNS, (row + 0.5) / ROWS)
        inside = [
            d
            for d in found
            if d.label == label and d.box.x0 <= middle[0] <= d.box.x1 and d.box.y0 <= middle[1] <= d.box.y1
        ]
        assert inside


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6))))
def test_parts_share_no_cell_and_never_touch(marks) -> None:
    parts = connected(dict.fromkeys(marks, 1.0))
    assert sorted(cell for part in parts for cell in part) == sorted(marks)
    for n, part in enumerate(parts):
        for other in parts[n + 1 :]:
            assert all(max(abs(a - c), abs(b - d)) > 1 for a, b in part for c, d in other)


@pytest.mark.parametrize(
    ("tensor_", "options", "told"),
    [
        (
            tensor("h", (1, 4, 8)),
            {"box_size": (0.1, 0.1)},
            r"outputs\.heat: expected \(1, rows, columns, channels\)",
        ),
        (heat(3), {}, r'decoder\.box_size: is missing: cells = "centroid" needs'),
        (heat(9), {"cells": "box"}, r"decoder\.labels: .* has 8 classes besides the background"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(tensor_, options, told) -> None:
    with pytest.raises(BundleError, match=told):
        Grid(Grid.Options(**options), place(("good", "bad"), heat=tensor_))
