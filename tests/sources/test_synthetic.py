from threading import Event

import numpy as np
import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.errors import InputError
from edgeinfer.sources.synthetic import Synthetic
from tests.sources.conftest import make, take


def lockstep(**options):
    return make(Synthetic, pace="lockstep", **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fps": -1}, "fps: expected"),
        ({"size": [10, 10]}, "size: expected .* at least 96"),
        ({"for_s": -1}, "for_s: expected"),
        ({"speed_px_s": 0}, "speed_px_s: expected a number above 0"),
        ({"noise": -1}, "noise: expected a number from 0 up"),
        ({"scratched": 1.5}, "scratched: expected a share"),
        ({"scratched": 0.6, "hole_missing": 0.6}, "at most 1 together"),
    ],
)
def test_an_option_that_is_wrong_in_itself_is_refused_by_the_constructor(options, words):
    with pytest.raises(InputError, match=words):
        make(Synthetic, **options)


def test_in_lockstep_the_same_settings_give_the_same_frames():
    first, second = (list(lockstep(seed=3, fps=5, for_s=1).samples(Event())) for _ in range(2))
    assert [(f.key, f.at) for f in first] == [(f.key, f.at) for f in second]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, second, strict=True))


def test_another_seed_is_another_belt():
    (one,), (other,) = (take(lockstep(seed=seed), 1) for seed in (1, 2))
    assert not np.array_equal(one.pixels, other.pixels)


def test_it_ends_after_for_s_of_belt_time():
    frames = list(lockstep(fps=10, for_s=1.5).samples(Event()))
    assert len(frames) == 15
    assert frames[-1].at.mono_ns == 1_400_000_000


def test_size_is_width_and_height():
    assert take(lockstep(size=[320, 240]), 1)[0].pixels.shape == (240, 320, 3)


def test_in_real_time_it_is_not_faster_than_fps():
    frames = take(make(Synthetic, fps=20, clock=SystemClock()), 5)
    assert frames[-1].at.mono_ns - frames[0].at.mono_ns >= 0.9 * 4 / 20 * 1e9


def test_a_stop_ends_it():
    stop = Event()
    for _ in make(Synthetic, fps=100).samples(stop):
        stop.set()
