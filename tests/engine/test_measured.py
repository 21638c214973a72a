"""Brightness and sharpness of pictures."""

import cv2
import numpy as np
import pytest

from edgeinfer.engine.measured import Measured, measured
from edgeinfer.events import Frame, Value
from edgeinfer.sources.belt import Belt, BeltSettings
from edgeinfer.testing.engine import FakePredictor
from tests.samples import at

BOTH = ("brightness", "sharpness")


def test_black_and_white_and_what_lies_between():
    for level in (0, 51, 255):
        told = measured(np.full((300, 400, 3), level, np.uint8), BOTH)
        assert told["brightness"] == pytest.approx(level / 255)
        assert told["sharpness"] == 0


def test_blur_takes_sharpness_and_leaves_brightness():
    picture = Belt(BeltSettings(seed=1)).render(3.0)
    sharp, blurred = measured(picture, BOTH), measured(cv2.GaussianBlur(picture, (0, 0), 3), BOTH)
    assert blurred["sharpness"] < sharp["sharpness"] / 2
    assert abs(blurred["brightness"] - sharp["brightness"]) < 0.02


def test_grey_and_small_pictures_are_measured_too():
    assert measured(np.full((20, 30), 255, np.uint8), BOTH)["brightness"] == pytest.approx(1)


def test_the_findings_of_the_model_come_first():
    inside = FakePredictor([[Value("pressure", 2.0)]], "toy@sha256:0")
    seen = Measured(inside, ("brightness",)).predict(Frame(("cam", 0), at(0), np.zeros((8, 8, 3), np.uint8)))
    assert [f.label for f in seen.findings] == ["pressure", "brightness"]
