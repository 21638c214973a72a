"""The comparison with Ultralytics sees what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.events import Detection, Keypoints, Region, Score
from edgeinfer.geometry import IDENTITY, Box
from tests.parity.compare import Parity, compare

TOLD = {"boxes": np.array([[0.2, 0.2, 0.6, 0.6]]), "scores": np.array([0.8]), "classes": np.array([1.0])}
SAME = Detection("disc", 0.8, Box(0.2, 0.2, 0.6, 0.6))


def compared(*findings, **more) -> Parity:
    return compare(findings, TOLD | more, ("square", "disc"), IDENTITY, (100, 100), 0.25)


def test_the_same_is_met() -> None:
    assert compared(SAME).verdict() == []


@pytest.mark.parametrize(
    ("findings", "told"),
    [
        ([Detection("disc", 0.8, Box(0.2, 0.2, 0.6, 0.61))], "worst IoU of boxes: 0.9756"),
        ([Detection("disc", 0.79, SAME.box)], "worst difference of scores: 0.0100"),
        ([], "disc 0.800 was not found"),
        ([Detection("square", 0.8, SAME.box)], "disc 0.800 was not found"),
        ([SAME, Detection("disc", 0.5, SAME.box)], "disc 0.500 was found by edgeinfer only"),
    ],
)
def test_what_is_otherwise_is_told(findings, told) -> None:
    assert told in compared(*findings).verdict()


def test_what_stands_at_the_threshold_may_be_found_by_one_only() -> None:
    assert compared(SAME, Detection("disc", 0.251, SAME.box)).verdict() == []


def test_points_are_compared() -> None:
    points = np.array([[[0.3, 0.3, 0.9]]])
    assert compared(SAME, Keypoints("disc", 0.8, ((0.3, 0.3, 0.9),)), points=points).verdict() == []
    moved = compared(SAME, Keypoints("disc", 0.8, ((0.31, 0.3, 0.9),)), points=points)
    assert moved.verdict() == ["worst distance of points: 0.0100"]


def test_masks_are_compared_by_their_pixels() -> None:
    mask = np.zeros((1, 100, 100), bool)
    mask[0, 20:60, 20:60] = True
    masks = {"masks": np.packbits(mask), "mask_shape": np.array(mask.shape)}
    square = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6))
    assert compared(SAME, Region("disc", 0.8, square), **masks).mask == 1
    shifted = tuple((x + 0.02, y) for x, y in square)
    assert compared(SAME, Region("disc", 0.8, shifted), **masks).mask == pytest.approx(38 / 42, abs=0.01)


def test_probabilities_of_classes_are_compared() -> None:
    told = {"probs": np.array([0.3, 0.7])}
    found = [Score("disc", 0.7), Score("square", 0.29)]
    result = compare(found, told, ("square", "disc"), IDENTITY, (1, 1), 0)
    assert result.verdict() == ["worst difference of scores: 0.0100"]
