"""The rule `schedule`: is it a shift now? By the wall clock of the place, daylight saving and all; not by what is seen.

| state   | becomes                                                                                                |
|---------|--------------------------------------------------------------------------------------------------------|
| unknown | `on` in a shift, else `off`, at the next thing that comes (a tick is enough)                           |
| off     | `on` when a shift begins; `unknown` when the source is lost                                            |
| on      | `off` when it ends; `unknown` when the source is lost                                                  |

A shift belongs to the day on which it begins: one from 22:00 to 06:00 on friday ends on saturday, and does not take place
when friday is closed. Times are what a clock on the wall there shows: in the night in which the clock is put forward that
shift is an hour shorter, in the other one an hour longer; an hour that comes twice is in or out both times.

It tells when time has come by what comes: the moment of a decision is that of the sample, at most a second late. A wall
clock that nobody has set yet is believed; `synced` of the decision says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Lost, Observation, State
from edgeinfer.ports import RulePlace
from edgeinfer.rules.states import NOTHING, States

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")  # as datetime.weekday counts
_MINUTE_NS = 60_000_000_000
_DAY = 24 * 60
_SHIFT = re.compile(r"\s*([a-z,\- ]+?)\s+(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)\s*")


@dataclass(frozen=True, slots=True)
class Shift:
    """`begin` and `end` in minutes of the day; an end that is not later is on the next day."""

    text: str
    days: frozenset[int]
    begin: int
    end: int

    def began(self, now: datetime) -> date | None:
        """The day on which the shift that runs at `now` began; None when none runs."""
        minute, today = now.hour * 60 + now.minute, now.date()
        overnight = self.end <= self.begin
        if now.weekday() in self.days and self.begin <= minute < (_DAY if overnight else self.end):
            return today
        if overnight and minute < self.end and (now.weekday() - 1) % 7 in self.days:
            return today - timedelta(days=1)
        return None


class Schedule:
    """`on` in a shift; details: which, and the day on which it began."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write."""

        zone: str  # a time zone, such as "Europe/Berlin"
        shifts: tuple[str, ...]  # "mon-fri 06:00-14:00", "sat,sun 22:00-06:00", "daily 08:00-24:00"
        closed: tuple[str, ...] = ()  # days, such as "2026-12-25"

    def __init__(self, options: Options, place: RulePlace) -> None:
        self._zone = place.zone(options.zone)
        if not options.shifts:
            raise InputError('shifts: expected at least one, such as "mon-fri 06:00-14:00", found none')
        self._shifts = tuple(shift_of(text) for text in options.shifts)
        self._closed = frozenset(_day_of(text) for text in options.closed)
        self._minutes: dict[str, int] = {}  # of each source: that which was judged last
        self._states = States(place, _details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        if isinstance(seen, Decision):
            return NOTHING
        subject, minute = seen.key[0], seen.at.unix_ns // _MINUTE_NS
        if isinstance(seen, Lost):
            self._minutes.pop(subject, None)
            return self._states.lose(seen.key, seen.at, seen.reason)
        if self._minutes.get(subject) == minute:
            return NOTHING
        self._minutes[subject] = minute
        found = self.shift_at(datetime.fromtimestamp(minute * 60, self._zone))
        return self._states.see(seen, "on" if found else "off", 0, found)

    def shift_at(self, now: datetime) -> tuple[Shift, date] | None:
        """The first shift that runs at `now`, wall clock of the place, and the day on which it began."""
        for shift in self._shifts:
            began = shift.began(now)
            if began is not None and began not in self._closed:
                return shift, began
        return None


def shift_of(text: str) -> Shift:
    """A shift from how people write it.

    Raises:
        InputError: it cannot be read, or has no length; begins with `shifts`.
    """
    match = _SHIFT.fullmatch(text.lower())
    if match is None:
        raise InputError(f'shifts: expected such as "mon-fri 06:00-14:00", found {text!r}')
    begin, end = (60 * int(match[h]) + int(match[h + 1]) for h in (2, 4))
    if int(match[3]) > 59 or int(match[5]) > 59 or begin >= _DAY or end > _DAY:
        raise InputError(f"shifts: expected times from 00:00 to 24:00, found {text!r}")
    if begin == end:
        raise InputError(f"shifts: {text!r} has no length; a whole day is 00:00-24:00")
    days = frozenset(day for item in match[1].split(",") for day in _days_of(item.strip(), text))
    return Shift(text, days, begin, end)


def _days_of(item: str, text: str) -> Sequence[int]:
    if item == "daily":
        return range(7)
    first, _, last = (part.strip() for part in item.partition("-"))
    last = last or first
    if first not in DAYS or last not in DAYS:
        raise InputError(
            f"shifts: expected days among {', '.join(DAYS)} or daily, found {item!r} in {text!r}"
        )
    start = DAYS.index(first)
    return [(start + n) % 7 for n in range((DAYS.index(last) - start) % 7 + 1)]


def _day_of(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f'closed: expected a day such as "2026-12-25", found {text!r}') from error


def _details(state: State, found: tuple[Shift, date] | None) -> dict[str, Any]:
    del state
    return {} if found is None else {"shift": found[0].text, "began": found[1].isoformat()}
