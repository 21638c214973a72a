"""The rule `sequence`: did this happen, and then that, in time (filled, then capped)? Or did the second thing fail to come?

A rule happens when it comes on, or, where its state is a number, when the number grows. Each happening of `first` waits
for one of `then` that was seen later and at most `within_s` later; each counts once, the oldest first.

| `tell`     | on                                                     | off                                           |
|------------|--------------------------------------------------------|-----------------------------------------------|
| `followed` | `then` came in time                                    | `first` has happened, and is waiting or waited in vain |
| `missed`   | `first` has waited for longer than `within_s`          | `then` came in time                           |

It is `unknown` until the first of these, and when one of the two rules is. Order is that of the moments at which things
were seen: a decision that comes late is sorted in, unless the wait is over. That a wait is over is seen by the ticks that
the other pipelines pass on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence as Several
from typing import Any, Literal

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Instant, Lost, Observation, State, Tick, Trigger
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Seconds, hold_ns
from edgeinfer.rules.inputs import Happenings
from edgeinfer.rules.states import NOTHING, States

_MOST = 1000  # that wait at once; a rule that happens more often waits for nothing


class Sequence:
    """First this, then that; details: how many seconds later it came, or how long was waited."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds."""

        first: str
        then: str
        within_s: Seconds
        tell: Literal["followed", "missed"] = "followed"

    def __init__(self, options: Options, place: RulePlace) -> None:
        self._first = Happenings("first", options.first)
        self._then = Happenings("then", options.then)
        self.inputs = (self._first.name, self._then.name)
        if self.inputs[0] == self.inputs[1]:
            raise InputError(f"then: is {options.then!r} like `first`; a sequence has two rules")
        self._within_ns = hold_ns("within_s", options.within_s)
        if not self._within_ns:
            raise InputError("within_s: expected seconds, more than 0")
        self._missed = options.tell == "missed"
        self._subject = place.rule
        self._waiting: deque[int] = deque(
            maxlen=_MOST
        )  # mono_ns of `first` without a `then`, and the other way
        self._early: deque[int] = deque(maxlen=_MOST)
        self._now: Instant | None = None
        self._states = States(place, _details)

    def observe(self, seen: Observation) -> Several[Decision]:
        if isinstance(seen, Decision) and seen.rule in self.inputs:
            return self._take(seen)
        if isinstance(seen, (Tick, Trigger)):
            return self._lapse(seen, self._go_on(seen.at))
        if isinstance(seen, Lost) and seen.key[0].startswith("rule:"):
            return self._lose(seen, seen.at, seen.reason)
        return NOTHING

    def _take(self, seen: Decision) -> Several[Decision]:
        at = self._go_on(seen.at)
        source = self._first if seen.rule == self._first.name else self._then
        times = source.happened(seen)
        if seen.state == "unknown":
            return self._lose(seen, at, f"unknown: {seen.rule}")
        told: list[Decision] = []
        for _ in range(times):
            told += self._begin(seen, at) if source is self._first else self._end(seen, at)
        return told + list(self._lapse(seen, at))

    def _begin(self, seen: Decision, at: Instant) -> list[Decision]:
        told = [] if self._missed else list(self._states.see(seen, "off", 0, None, at, self._subject))
        began_ns = seen.at.mono_ns
        ended_ns = next((ns for ns in self._early if 0 < ns - began_ns <= self._within_ns), None)
        if ended_ns is None:
            self._waiting.append(began_ns)
            return told
        self._early.remove(ended_ns)
        return told + self._followed(seen, at, ended_ns - began_ns)

    def _end(self, seen: Decision, at: Instant) -> list[Decision]:
        ended_ns = seen.at.mono_ns
        began_ns = next((ns for ns in self._waiting if 0 < ended_ns - ns <= self._within_ns), None)
        if began_ns is None:
            self._early.append(ended_ns)
            return []
        self._waiting.remove(began_ns)
        return self._followed(seen, at, ended_ns - began_ns)

    def _followed(self, seen: Observation, at: Instant, after_ns: int) -> list[Decision]:
        after = {"after_s": round(after_ns / 1e9, 6)}
        state: State = "off" if self._missed else "on"
        return list(self._states.see(seen, state, 0, after, at, self._subject))

    def _lapse(self, seen: Observation, at: Instant) -> Several[Decision]:
        """Waits that are over."""
        told: list[Decision] = []
        for kept in (self._waiting, self._early):
            while kept and at.mono_ns - kept[0] > self._within_ns:
                began_ns = kept.popleft()
                if kept is self._waiting and self._missed:
                    waited = {"waited_s": round((at.mono_ns - began_ns) / 1e9, 6)}
                    told += self._states.see(seen, "on", 0, waited, at, self._subject)
        return told

    def _lose(self, seen: Observation, at: Instant, reason: str) -> Several[Decision]:
        self._forget()
        return self._states.lose(seen.key, at, reason, self._subject)

    def _go_on(self, at: Instant) -> Instant:
        """The latest moment seen; another boot is another clock: nothing waits any more."""
        if self._now is not None and at.boot != self._now.boot:
            self._forget()
            self._now = at
        elif self._now is None or at.mono_ns > self._now.mono_ns:
            self._now = at
        return self._now

    def _forget(self) -> None:
        self._waiting.clear()
        self._early.clear()


def _details(state: State, evidence: dict[str, Any] | None) -> dict[str, Any]:
    del state
    return evidence or {}
