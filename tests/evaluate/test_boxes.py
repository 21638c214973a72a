"""Average precision against cases that can be told by hand, and matches at one threshold."""

from __future__ import annotations

import sys

import pytest

from edgeinfer.errors import InputError
from edgeinfer.evaluate.boxes import Matches, against_truth, average_precision
from edgeinfer.evaluate.examples import Example, TrueBox
from edgeinfer.evaluate.run import Answer
from edgeinfer.events import Detection
from edgeinfer.geometry import Box

HERE, THERE, HALF = Box(0.1, 0.1, 0.3, 0.3), Box(0.6, 0.6, 0.9, 0.9), Box(0.1, 0.1, 0.3, 0.24)


def answer(true: list[TrueBox], *found: Detection) -> Answer:
    return Answer(Example("p", lambda: None, boxes=tuple(true)), found, (640, 480), 1000)


def test_finding_all_and_nothing_else_is_one() -> None:
    seen = [
        answer(
            [TrueBox("a", HERE), TrueBox("b", THERE)], Detection("a", 0.9, HERE), Detection("b", 0.8, THERE)
        )
    ]
    area = average_precision(seen, ("a", "b"))
    assert area.at_50 == pytest.approx({"a": 1.0, "b": 1.0})
    assert area.at_50_95 == pytest.approx({"a": 1.0, "b": 1.0})


def test_a_loose_box_counts_at_low_overlaps_only() -> None:
    area = average_precision([answer([TrueBox("a", HERE)], Detection("a", 0.9, HALF))], ("a",))  # IoU 0.7
    assert area.at_50["a"] == pytest.approx(1.0)
    assert area.at_50_95["a"] == pytest.approx(0.4, abs=0.11)  # of ten thresholds, those up to 0.65 or 0.70


def test_a_false_finding_that_is_surer_halves_the_precision() -> None:
    seen = [answer([TrueBox("a", HERE)], Detection("a", 0.9, THERE), Detection("a", 0.5, HERE))]
    assert average_precision(seen, ("a",)).at_50["a"] == pytest.approx(0.5)


def test_finding_nothing_is_zero() -> None:
    assert average_precision([answer([TrueBox("a", HERE)])], ("a",)).at_50 == {"a": 0.0}


def test_a_class_that_does_not_occur_has_no_figure() -> None:
    area = average_precision([answer([TrueBox("a", HERE)], Detection("a", 0.9, HERE))], ("a", "b"))
    assert set(area.at_50) == {"a"}


def test_data_without_an_object_is_refused() -> None:
    with pytest.raises(InputError, match="holds no object"):
        average_precision([answer([])], ("a",))


def test_a_missing_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pycocotools.coco", None)
    with pytest.raises(InputError, match=r"pip install 'edgeinfer\[eval\]'"):
        average_precision([answer([TrueBox("a", HERE)])], ("a",))


def test_of_two_findings_on_one_object_the_surer_is_right() -> None:
    matches = Matches()
    matches.add([("a", HERE)], [Detection("a", 0.6, HERE), Detection("a", 0.9, HERE)])
    assert (matches.right["a"], matches.false["a"], matches.missed["a"]) == (1, 1, 0)
    assert (matches.recall(), matches.precision()) == (1.0, 0.5)


def test_the_right_place_with_the_wrong_label_is_missed_and_false() -> None:
    matches = Matches()
    matches.add([("a", HERE)], [Detection("b", 0.9, HERE)])
    assert (matches.recall("a"), matches.precision("b")) == (0.0, 0.0)


def test_a_crowd_need_not_be_found_and_may_be() -> None:
    seen = [answer([TrueBox("a", THERE, crowd=True)], Detection("a", 0.9, THERE))]
    matches = against_truth(seen, ("a",), 0.5)
    assert (matches.recall(), matches.precision()) == (1.0, 1.0)


def test_what_stays_below_the_threshold_is_not_found() -> None:
    matches = against_truth([answer([TrueBox("a", HERE)], Detection("a", 0.4, HERE))], ("a",), 0.5)
    assert matches.recall() == 0.0
