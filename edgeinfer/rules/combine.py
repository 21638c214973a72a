"""The rules `all`, `any` and `not`: what follows from the states of other rules, now; not when they came (see `within`).

`S` is what the other rules' states give by Kleene's logic: `all` is off when one is off, `any` is on when one is on,
whatever the unknown ones are; else one unknown makes the whole unknown. `not` turns on and off around.

| state   | S on for `for_s` | S off for `clear_s` | S unknown |
|---------|------------------|---------------------|-----------|
| unknown | on               | off                 | unknown   |
| off     | on               | off                 | unknown, told at once |
| on      | on               | off                 | unknown, told at once |

The subject is the rule's own name: it is about several sources. Decisions may overtake one another on their way; the
moment is then that of the latest one seen. Holding times run out by the ticks that the other pipelines pass on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from edgeinfer.events import Decision, Lost, Observation, State, Tick, Trigger
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Seconds, hold_ns
from edgeinfer.rules.inputs import Inputs, all_of, any_of, none_of
from edgeinfer.rules.states import NOTHING, States

Logic = Callable[[Sequence[State]], State]


class _Combination:
    """What the three share: the table above."""

    def __init__(self, inputs: Inputs, logic: Logic, hold: tuple[float, float], place: RulePlace) -> None:
        self._inputs, self._logic, self._subject = inputs, logic, place.rule
        self._for_ns, self._clear_ns = hold_ns("for_s", hold[0]), hold_ns("clear_s", hold[1])
        self._states = States(place, _details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        if isinstance(seen, Decision):
            return self._judge(seen) if self._inputs.take(seen) else NOTHING
        if isinstance(seen, (Tick, Trigger)):
            return self._states.wait(seen.key, self._inputs.moment(seen.at), self._subject)
        if isinstance(seen, Lost) and seen.key[0].startswith("rule:"):
            self._inputs.forget()
            return self._states.lose(seen.key, seen.at, seen.reason, self._subject)
        return NOTHING

    def _judge(self, seen: Decision) -> Sequence[Decision]:
        states, at = self._inputs.states(), self._inputs.moment(seen.at)
        state = self._logic(list(states.values()))
        if state == "unknown":
            missing = ", ".join(name for name, found in states.items() if found == "unknown")
            return self._states.lose(seen.key, at, f"unknown: {missing}", self._subject)
        hold = self._for_ns if state == "on" else self._clear_ns
        return self._states.see(seen, state, hold, states, at, self._subject)


class Several(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a user may write; times in seconds."""

    rules: tuple[str, ...]
    for_s: Seconds = 0.0
    clear_s: Seconds = 0.0


class All(_Combination):
    """`on` while all the other rules are; details: their states."""

    Options = Several

    def __init__(self, options: Several, place: RulePlace) -> None:
        inputs = Inputs("rules", options.rules, least=2)
        super().__init__(inputs, all_of, (options.for_s, options.clear_s), place)
        self.inputs = inputs.names


class Any_(_Combination):  # noqa: N801  `Any` is another word in Python
    """`on` while one of the other rules is; details: their states."""

    Options = Several

    def __init__(self, options: Several, place: RulePlace) -> None:
        inputs = Inputs("rules", options.rules, least=2)
        super().__init__(inputs, any_of, (options.for_s, options.clear_s), place)
        self.inputs = inputs.names


class Not(_Combination):
    """`on` while the other rule is `off`; details: its state."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds."""

        rule: str
        for_s: Seconds = 0.0
        clear_s: Seconds = 0.0

    def __init__(self, options: Options, place: RulePlace) -> None:
        inputs = Inputs("rule", (options.rule,))
        super().__init__(inputs, none_of, (options.for_s, options.clear_s), place)
        self.inputs = inputs.names


def _details(state: State, states: Mapping[str, State]) -> dict[str, Any]:
    del state
    return {"rules": dict(states)}
