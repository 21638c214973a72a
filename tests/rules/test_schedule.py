"""The rule `schedule`."""

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.events import Instant, Lost, Tick
from edgeinfer.ports import RulePlace
from edgeinfer.rules.schedule import Schedule, shift_of

BERLIN = ZoneInfo("Europe/Berlin")
PLACE = RulePlace("inspection", "shift", ZoneInfo)


def schedule(*shifts, closed=(), zone="Europe/Berlin"):
    return Schedule(Schedule.Options(zone=zone, shifts=shifts, closed=closed), PLACE)


def tick(when, boot="b"):
    ns = round(when.timestamp()) * 10**9
    return Tick(("belt", 0), Instant(boot, ns, ns))


def local(*when, fold=0):
    return datetime(*when, tzinfo=BERLIN, fold=fold)


def changes(rule, start, hours, step_s=600):
    """(wall clock there, state) of each decision, with a tick each ten minutes of real time."""
    found, start = [], start.astimezone(timezone.utc)
    for n in range(round(hours * 3600 / step_s)):
        now = start + timedelta(seconds=n * step_s)
        found += [(now.astimezone(BERLIN).strftime("%a %H:%M"), d.state) for d in rule.observe(tick(now))]
    return found


def test_it_is_on_from_the_beginning_of_a_shift_to_its_end():
    rule = schedule("mon-fri 06:00-14:00")
    assert changes(rule, local(2026, 11, 23, 0), 24) == [
        ("Mon 00:00", "off"),
        ("Mon 06:00", "on"),
        ("Mon 14:00", "off"),
    ]


def test_other_days_have_none():
    assert changes(schedule("mon-fri 06:00-14:00"), local(2026, 11, 28, 0), 48) == [("Sat 00:00", "off")]


def test_a_night_shift_ends_on_the_day_behind():
    rule = schedule("fri 22:00-06:00")
    assert changes(rule, local(2026, 11, 27, 12), 30) == [
        ("Fri 12:00", "off"),
        ("Fri 22:00", "on"),
        ("Sat 06:00", "off"),
    ]


def test_shifts_that_touch_are_one():
    rule = schedule("daily 06:00-14:00", "daily 14:00-22:00", "daily 22:00-06:00")
    assert changes(rule, local(2026, 11, 23, 3), 100) == [("Mon 03:00", "on")]


def test_a_closed_day_has_no_shift_that_begins_on_it():
    rule = schedule("daily 22:00-06:00", closed=("2026-12-25",))
    assert changes(rule, local(2026, 12, 24, 23), 49) == [
        ("Thu 23:00", "on"),
        ("Fri 06:00", "off"),
        ("Sat 22:00", "on"),
    ]


def length_h(rule, start):
    return list(_states(rule, start)).count("on") / 6


def _states(rule, start):
    state, start = "unknown", start.astimezone(timezone.utc)
    for n in range(24 * 6):
        for decision in rule.observe(tick(start + timedelta(minutes=10 * n))):
            state = decision.state
        yield state


@pytest.mark.parametrize(
    ("day", "hours"),
    [((2026, 3, 28, 12), 7), ((2026, 10, 24, 12), 9), ((2026, 6, 13, 12), 8)],
)
def test_the_night_in_which_the_clock_is_changed_is_shorter_or_longer(day, hours):
    assert length_h(schedule("sat 22:00-06:00"), local(*day)) == hours


def test_an_hour_that_comes_twice_is_in_both_times():
    rule = schedule("sun 02:00-03:00")
    assert changes(rule, local(2026, 10, 25, 1), 4) == [
        ("Sun 01:00", "off"),
        ("Sun 02:00", "on"),
        ("Sun 03:00", "off"),
    ]
    assert length_h(schedule("sun 02:00-03:00"), local(2026, 10, 25, 0)) == 2


def test_another_zone_has_another_time():
    assert (
        schedule("daily 06:00-14:00", zone="Asia/Tokyo").observe(tick(local(2026, 6, 1, 0)))[0].state == "on"
    )


def test_which_shift_and_on_which_day_it_began_is_told():
    (one,) = schedule("daily 22:00-06:00").observe(tick(local(2026, 11, 24, 1)))
    assert one.details == {"shift": "daily 22:00-06:00", "began": "2026-11-23"}


def test_a_lost_source_makes_it_unknown_until_the_next_tick():
    rule, now = schedule("daily 00:00-24:00"), tick(local(2026, 11, 24, 1))
    told = [d.state for o in (now, Lost(now.key, now.at, "stopped"), now, now) for d in rule.observe(o)]
    assert told == ["on", "unknown", "on"]


def test_a_wall_clock_that_is_put_back_takes_the_state_with_it():
    rule = schedule("daily 06:00-14:00")
    told = [d.state for hour in (5, 7, 5, 7) for d in rule.observe(tick(local(2026, 11, 24, hour)))]
    assert told == ["off", "on", "off", "on"]


@given(
    st.integers(0, 7 * 24 * 60 - 1),
    st.integers(0, 1439),
    st.integers(0, 1440),
    st.sampled_from(["mon", "fri-mon", "tue,sat", "daily"]),
)
def test_a_shift_covers_what_lies_between_its_ends_whatever_day_it_is(minute, begin, end, days):
    if begin == end or (begin, end) == (0, 0):
        return
    shift = shift_of(f"{days} {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}")
    monday = datetime(2026, 11, 23)
    now = monday + timedelta(minutes=minute)
    length = (end - begin) % 1440 or 1440
    starts = [monday + timedelta(days=d, minutes=begin) for d in range(-1, 7)]
    running = [s for s in starts if s.weekday() in shift.days and s <= now < s + timedelta(minutes=length)]
    assert shift.began(now) == (running[0].date() if running else None)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("always", 'shifts: expected such as "mon-fri 06:00-14:00"'),
        ("mon 6-14", "shifts: expected such as"),
        ("mon-fry 06:00-14:00", "shifts: expected days among mon, .* found 'mon-fry'"),
        ("mon 06:00-25:00", "shifts: expected times from 00:00 to 24:00"),
        ("mon 06:60-14:00", "shifts: expected times"),
        ("mon 06:00-06:00", "shifts: .*no length"),
    ],
)
def test_a_shift_that_cannot_be_read_is_refused(wrong, words):
    with pytest.raises(InputError, match=f"^{words}"):
        schedule(wrong)


def test_a_day_that_is_none_and_an_empty_list_are_refused():
    with pytest.raises(InputError, match=r"^closed: expected a day"):
        schedule("daily 06:00-14:00", closed=("25.12.",))
    with pytest.raises(InputError, match=r"^shifts: expected at least one"):
        schedule()
