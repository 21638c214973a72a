"""The rule `within`: were several other rules on at about the same time (defect seen and vibration high)? In any order.

| state   | becomes                                                                                                    |
|---------|------------------------------------------------------------------------------------------------------------|
| unknown | `off` when all are known; `on` as below                                                                    |
| off     | `on` when one comes on, and all are on or were so at most `within_s` away from it                          |
| on      | `off` when one of them went off more than `within_s` ago                                                   |
| any     | `unknown`, told at once, when one of the other rules is                                                    |

Away is measured between the moments at which things were seen, not at which their decisions came: the camera's take
longer than a sensor's. What is on now is not away at all. A coincidence counts once: it takes another coming on for the
next. That time runs out is seen by the ticks that the other pipelines pass on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Instant, Lost, Observation, State, Tick, Trigger
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Seconds, hold_ns
from edgeinfer.rules.inputs import Inputs
from edgeinfer.rules.states import NOTHING, States


class Within:
    """`on` while all the other rules are or were just now; details: when each came on, in seconds before the last."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds."""

        rules: tuple[str, ...]
        within_s: Seconds

    def __init__(self, options: Options, place: RulePlace) -> None:
        self._inputs = Inputs("rules", options.rules, least=2)
        self.inputs = self._inputs.names
        self._within_ns = hold_ns("within_s", options.within_s)
        if not self._within_ns:
            raise InputError('within_s: expected seconds, more than 0; for "at once" there is kind = "all"')
        self._began: dict[str, int] = {}  # mono_ns at which each was on first, and last
        self._ended: dict[str, int] = {}
        self._boot = ""
        self._subject = place.rule
        self._states = States(place, _details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        if isinstance(seen, Decision):
            return self._take(seen)
        if isinstance(seen, (Tick, Trigger)):
            at = self._inputs.moment(seen.at)
            return self._lapse(seen, at) if at.boot == self._boot else NOTHING
        if isinstance(seen, Lost) and seen.key[0].startswith("rule:"):
            self._inputs.forget()
            self._forget()
            return self._states.lose(seen.key, seen.at, seen.reason, self._subject)
        return NOTHING

    def _take(self, seen: Decision) -> Sequence[Decision]:
        was = self._inputs.state(seen.rule) if seen.rule in self.inputs else "unknown"
        if not self._inputs.take(seen):
            return NOTHING
        at = self._inputs.moment(seen.at)
        if seen.at.boot != self._boot:
            self._forget()
            self._boot, was = seen.at.boot, "unknown"
        now = self._inputs.state(seen.rule)
        if now == "on" and was != "on":
            self._began[seen.rule] = seen.at.mono_ns
            self._ended.pop(seen.rule, None)
        elif now != "on" and was == "on":
            self._ended[seen.rule] = seen.at.mono_ns
        missing = [name for name, state in self._inputs.states().items() if state == "unknown"]
        if missing:
            if now == "unknown":
                self._began.pop(seen.rule, None)
                self._ended.pop(seen.rule, None)
            return self._states.lose(seen.key, at, f"unknown: {', '.join(missing)}", self._subject)
        if now == "on" and was != "on" and self._together():
            return self._states.see(seen, "on", 0, dict(self._began), at, self._subject)
        return self._lapse(seen, at)

    def _together(self) -> bool:
        """Whether the last times on of all touch, or nearly."""
        if len(self._began) < len(self.inputs):
            return False
        ends = [ns for name, ns in self._ended.items() if name in self._began]
        return not ends or max(self._began.values()) - min(ends) <= self._within_ns

    def _lapse(self, seen: Observation, at: Instant) -> Sequence[Decision]:
        told = self._states.told(self._subject)
        if told == "unknown" and isinstance(seen, Decision):
            return self._states.see(seen, "off", 0, {}, at, self._subject)
        past = any(at.mono_ns - ns > self._within_ns for ns in self._ended.values())
        return self._states.see(seen, "off", 0, {}, at, self._subject) if told == "on" and past else NOTHING

    def _forget(self) -> None:
        self._began.clear()
        self._ended.clear()


def _details(state: State, began: Mapping[str, int]) -> dict[str, Any]:
    if state != "on":
        return {}
    last = max(began.values())
    return {"before_s": {name: round((last - ns) / 1e9, 6) for name, ns in began.items()}}
