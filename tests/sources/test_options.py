import math

import pytest

from edgeinfer.errors import InputError
from edgeinfer.sources.options import (
    Controls,
    block_s,
    check_fps,
    check_one_of,
    check_roi,
    check_size,
)


@pytest.mark.parametrize("roi", [(0.0, 0.0, 1.1, 1.0), (-0.1, 0, 1, 1), (0.5, 0, 0.5, 1), (0, 0.9, 1, 0.1)])
def test_a_roi_that_is_no_piece_of_the_picture_is_refused_with_what_was_found(roi):
    with pytest.raises(InputError, match=r"roi: expected \[left, top, right, bottom\].*found"):
        check_roi(roi)


@pytest.mark.parametrize("check", [lambda: check_size((0, 480)), lambda: check_size((640, 99_999))])
def test_a_size_beyond_reason_is_refused(check):
    with pytest.raises(InputError, match="size: expected"):
        check()


@pytest.mark.parametrize("fps", [0.0, -1.0, 5000.0, math.nan])
def test_a_rate_that_is_none_is_refused(fps):
    with pytest.raises(InputError, match="fps: expected pictures per second"):
        check_fps(fps)


def test_an_unknown_word_is_answered_with_the_nearest():
    with pytest.raises(InputError, match="did you mean 'MJPG'"):
        check_one_of("pixel_format", "MJGP", ["MJPG", "YUYV"])


def test_only_the_controls_that_were_written_are_wanted():
    assert Controls(exposure="auto", gain=0).wanted() == {"exposure": "auto", "gain": 0}


def test_a_cap_below_one_picture_per_read_time_lengthens_the_bound():
    assert block_s(3.0, None) == 3.0
    assert block_s(3.0, 0.1) == 13.0
