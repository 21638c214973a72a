"""What was found against what the maker of a bundle found."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from edgeinfer.engine.golden import Expected, compare, expected_of, verify
from edgeinfer.errors import BundleError
from edgeinfer.events import Detection, Keypoints, Region, Score
from edgeinfer.geometry import Box
from edgeinfer.store import open_bundle
from edgeinfer.testing.engine import FakePredictor
from tests.engine import tiny

BOX = (0.2, 0.2, 0.6, 0.6)


def found(label="a", score=0.9, box=BOX) -> Detection:
    return Detection(label, score, Box(*box))


def compared(expected, actual, near=0.55):
    return compare("1.png", expected, actual, near)


def test_the_same_findings_pass() -> None:
    result = compared([Expected("a", 0.9, BOX)], [found()])
    assert result.passed
    assert (result.worst_iou, result.worst_score) == (1.0, 0.0)


def test_differences_within_tolerance_pass_and_are_told() -> None:
    result = compared([Expected("a", 0.9, BOX)], [found(score=0.87, box=(0.2, 0.2, 0.6, 0.62))])
    assert result.passed
    assert result.worst_score == pytest.approx(0.03)
    assert result.worst_iou == pytest.approx(0.4 / 0.42)


@pytest.mark.parametrize(
    ("actual", "told"),
    [
        ([], "a 0.900 at [0.200, 0.200, 0.600, 0.600] was expected and not found"),
        ([found(label="b")], "was expected and not found"),
        ([found(box=(0.2, 0.2, 0.6, 0.8))], "nearest: a 0.900 at [0.200, 0.200, 0.600, 0.800]"),
        ([found(score=0.8)], "was expected, its score is 0.800"),
        ([found(), found(box=(0.7, 0.7, 0.9, 0.9))], "was found and not expected"),
    ],
)
def test_differences_out_of_tolerance_are_told_one_by_one(actual, told) -> None:
    result = compared([Expected("a", 0.9, BOX)], actual)
    assert not result.passed
    assert any(told in sentence for sentence in result.wrong)


def test_what_stands_at_the_threshold_may_be_there_or_not() -> None:
    assert compared([Expected("a", 0.51, BOX)], []).passed
    assert compared([], [found(score=0.52)]).passed


def test_each_finding_is_paired_once() -> None:
    twice = [Expected("a", 0.9, BOX), Expected("a", 0.8, BOX)]
    assert not compared(twice, [found()]).passed
    assert compared(twice, [found(score=0.8), found(score=0.9)]).passed


def test_class_scores_are_compared_by_label() -> None:
    assert compared([Expected("a", 0.9)], [Score("a", 0.88)]).passed
    assert not compared([Expected("a", 0.9)], [Score("b", 0.9)]).passed


def test_every_golden_picture_of_a_bundle_is_run(bundle_folder) -> None:
    predictor = FakePredictor([[found("green", 1.0, (0.25, 0.25, 0.5, 0.5))]])
    assert [result.passed for result in verify(open_bundle(bundle_folder), predictor)] == [True]
    assert predictor.frames == 1


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("golden.png", b"", "is no picture"),
        ("golden.png", b"nothing", "is no picture"),
        ("golden.json", b"[{]", "golden.json: expected"),
        ("golden.json", b'[{"label": "a", "score": 1, "bbox": 2}]', "golden.json: expected"),
    ],
)
def test_golden_files_that_are_none_are_refused(bundle_folder, name, data, told) -> None:
    (bundle_folder / name).write_bytes(data)
    bundle = open_bundle(tiny.seal(bundle_folder))
    with pytest.raises(BundleError, match=told):
        list(verify(bundle, FakePredictor()))


def test_a_grey_golden_picture_is_read(bundle_folder) -> None:
    import cv2

    cv2.imwrite(str(bundle_folder / "golden.png"), np.zeros((8, 8), np.uint8))
    bundle = open_bundle(tiny.seal(bundle_folder))
    assert not next(iter(verify(bundle, FakePredictor()))).passed


def test_points_and_outlines_are_compared_by_the_box_around_them() -> None:
    person = Keypoints("person", 0.9, ((0.2, 0.1, 1.0), (0.4, 0.5, 0.3)))
    road = Region("road", 0.8, ((0.0, 0.6), (1.0, 0.6), (1.0, 1.0)))
    expected = msgspec.json.decode(expected_of([person, road]), type=list[Expected])
    assert [e.box for e in expected] == [(0.2, 0.1, 0.4, 0.5), (0.0, 0.6, 1.0, 1.0)]
    assert compare("p", expected, [person, road], 0.3).passed
    moved = Keypoints("person", 0.9, ((0.5, 0.1, 1.0), (0.7, 0.5, 0.3)))
    assert not compare("p", expected, [moved, road], 0.3).passed
