import numpy as np
import pytest

from edgeinfer.errors import SourceLost
from edgeinfer.sources.live import Frozen

NOISE = np.random.default_rng(0)


def picture() -> np.ndarray:
    return NOISE.integers(0, 255, (64, 64, 3), np.uint8)


def test_a_picture_that_stays_the_same_for_too_long_is_a_lost_camera():
    frozen, same = Frozen(60.0), picture()
    frozen.check(same, 0, "cam")
    frozen.check(same, 59 * 10**9, "cam")
    with pytest.raises(SourceLost, match="cam has sent one and the same picture for 60 s"):
        frozen.check(same.copy(), 60 * 10**9, "cam")


def test_a_picture_that_changes_is_well():
    frozen = Frozen(60.0)
    for s in range(0, 600, 30):
        frozen.check(picture(), s * 10**9, "cam")


def test_a_frozen_camera_that_was_opened_again_is_still_frozen():
    frozen, same = Frozen(10.0), picture()
    frozen.check(same, 0, "cam")
    for s in (10, 40):
        with pytest.raises(SourceLost):
            frozen.check(same, s * 10**9, "cam")
    frozen.check(picture(), 70 * 10**9, "cam")


def test_switched_off_it_says_nothing():
    frozen, same = Frozen(0.0), picture()
    for s in (0, 10**6):
        frozen.check(same, s * 10**9, "cam")
