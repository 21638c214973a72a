from __future__ import annotations

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.runtime.intake import Intake, Limits
from edgeinfer.runtime.mailbox import Inbox
from tests.samples import frame, readings

MS = 1_000_000


def wanted(intake, times_s):
    return [s for n, s in enumerate(times_s) if intake.wants(frame(n, s=s))]


def test_a_rate_thins_out_pictures_and_counts_them():
    intake = Intake(Limits(max_fps=10))
    assert len(wanted(intake, [n / 30 for n in range(300)])) == 100
    assert intake.skipped == {"over_rate": 200}


JITTERED = st.lists(st.floats(0, 0.9), min_size=60, max_size=300)


@given(JITTERED, st.sampled_from([1.0, 4.0, 9.9]))
def test_the_mean_rate_is_kept_however_the_pictures_jitter(jitter, max_fps):
    times = [(n + j) / 30 for n, j in enumerate(jitter)]
    taken = wanted(Intake(Limits(max_fps=max_fps)), times)
    assert abs(len(taken) - len(times) / 30 * max_fps) <= 2


@given(st.lists(st.floats(0, 0.2), max_size=300), st.floats(0.5, 60))
def test_the_rate_is_never_passed_whatever_comes(steps, max_fps):
    times = list(accumulate(steps, initial=0.0))
    assert len(wanted(Intake(Limits(max_fps=max_fps)), times)) <= times[-1] * max_fps + 1 + 1e-6


def test_after_a_pause_the_rate_does_not_catch_up():
    intake = Intake(Limits(max_fps=1))
    assert wanted(intake, [0.0, 100.0, 100.1, 100.2, 101.0]) == [0.0, 100.0, 101.0]


def test_a_clock_that_jumps_back_does_not_silence_the_camera():
    intake = Intake(Limits(max_fps=1))
    assert wanted(intake, [5000.0, 3.0, 3.1, 4.0]) == [5000.0, 3.0, 4.0]


def test_without_limits_everything_is_wanted():
    assert wanted(Intake(Limits()), [0.0, 0.0, 0.1]) == [0.0, 0.0, 0.1]


def test_what_is_older_than_its_deadline_is_skipped_when_it_is_taken():
    intake = Intake(Limits(deadline_ms=50))
    assert intake.fresh(frame(0), 50 * MS)
    assert not intake.fresh(frame(0), 51 * MS)
    assert intake.skipped == {"too_old": 1}


def test_an_age_of_its_own_goes_before_the_deadline():
    assert Intake(Limits(deadline_ms=50, max_age_ms=500)).fresh(frame(0), 400 * MS)


def test_a_block_of_readings_is_as_old_as_its_last_row():
    block = readings(0)
    intake = Intake(Limits(max_age_ms=10))
    newest = block.at.mono_ns + block.period_ns * (len(block.values) - 1)
    assert intake.fresh(block, newest + 10 * MS)
    assert not intake.fresh(block, newest + 11 * MS)


def test_readings_that_were_skipped_leave_a_gap_before_the_next():
    inbox = Inbox({"motor": "queue"}, Limits(max_age_ms=1000))
    fresh = readings(10**9)  # far ahead of this machine's clock
    inbox.offer("motor", readings(0))
    inbox.offer("motor", fresh)
    assert inbox.take(0.0).gap_before
    assert inbox.skipped == {"too_old": 1}


@pytest.mark.parametrize("flow", ["newest", "lockstep"])
def test_a_replay_is_thinned_out_like_the_camera(flow):
    inbox = Inbox({"cam": flow}, Limits(max_fps=1))
    taken = []
    for n in range(10):
        inbox.offer("cam", frame(n, s=n / 4))
        if item := inbox.take(0.0):
            taken.append(item.key[1])
    assert taken == [0, 4, 8]


def test_a_recorded_time_is_not_an_age():
    inbox = Inbox({"cam": "lockstep"}, Limits(max_age_ms=1))
    inbox.offer("cam", frame(0))
    assert inbox.take(0.0) is not None


@pytest.mark.parametrize(("priority", "nice"), [(9, 0), (5, 0), (4, 2), (0, 10)])
def test_who_is_less_urgent_than_usual_gives_way_on_the_cpu(priority, nice):
    assert Limits(priority=priority).nice == nice
