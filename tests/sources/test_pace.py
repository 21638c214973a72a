from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.sources.pace import Cap, RealTime


def passed(fps, times_s):
    cap = Cap(fps)
    return [t for t in times_s if cap.passes(round(t * 1e9))]


def test_without_a_cap_everything_passes():
    assert passed(None, [0, 0, 1]) == [0, 0, 1]


@pytest.mark.parametrize(
    ("source", "cap", "kept"), [(30, 10, 101), (15, 10, 101), (10, 10, 101), (5, 10, 51)]
)
def test_a_cap_keeps_the_rate_that_it_names_or_what_there_is(source, cap, kept):
    assert len(passed(cap, [n / source for n in range(10 * source + 1)])) == pytest.approx(kept, abs=1)


@given(st.lists(st.floats(-0.004, 0.004), min_size=50, max_size=50))
def test_jitter_does_not_halve_a_rate_that_is_the_cap_itself(jitter):
    times = [n * 0.1 + j for n, j in enumerate(jitter)]
    assert len(passed(10, times)) == 50


@given(st.lists(st.floats(0.0, 100.0), min_size=2).map(sorted), st.floats(0.1, 100.0))
def test_no_stretch_of_time_gets_more_than_the_cap_and_two(times, fps):
    kept = passed(fps, times)
    assert len(kept) <= (times[-1] - times[0]) * fps + 2


def test_after_a_long_silence_the_cap_does_not_catch_up():
    assert passed(1, [0.0, 60.0, 60.1, 60.2, 60.95, 61.0]) == [0.0, 60.0, 60.95]


def test_a_moment_that_is_past_is_not_waited_for():
    clock = RealTime(Event())
    clock.wait_for(0)
    clock.wait_for(-1_000_000_000)


def test_a_stop_ends_the_wait():
    stop = Event()
    stop.set()
    RealTime(stop).wait_for(3600 * 10**9)
