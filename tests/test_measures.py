"""What is measured of samples themselves."""

import cv2
import numpy as np
import pytest

from edgeinfer.events import Frame, Instant, Readings
from edgeinfer.measures import measured

KEY, AT = ("belt", 0), Instant("b", 0, 0)
NOISE = np.random.default_rng(0).integers(0, 256, (360, 480, 3), np.uint8)


def of(pixels):
    return {name: value for name, (value,) in measured(Frame(KEY, AT, pixels)).items()}


def test_brightness_is_the_mean_of_the_green():
    assert of(np.full((48, 64, 3), (0, 200, 0), np.uint8)) == {"brightness": 200.0, "sharpness": 0.0}


def test_a_darker_picture_is_darker():
    assert of(NOISE // 2)["brightness"] == pytest.approx(of(NOISE)["brightness"] / 2, abs=1)


def test_blur_takes_sharpness_away_and_leaves_brightness():
    sharp, soft = of(NOISE), of(cv2.GaussianBlur(NOISE, (0, 0), 2))
    assert soft["sharpness"] < 0.5 * sharp["sharpness"]
    assert soft["brightness"] == pytest.approx(sharp["brightness"], abs=3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (3, 5), (64, 64), (63, 65, 3), (1080, 1920, 3)])
def test_a_picture_of_any_size_can_be_measured(shape):
    assert all(np.isfinite(v) for v in of(np.zeros(shape, np.uint8)).values())


def test_readings_give_at_most_16_rows_of_each_channel():
    rows = np.arange(100.0).reshape(50, 2)
    found = measured(Readings(KEY, AT, ("x", "y"), rows))
    assert set(found) == {"channel:x", "channel:y"}
    assert len(found["channel:x"]) == 16
    assert found["channel:x"][0] == 0.0
