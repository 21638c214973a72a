"""The state machine that all rules share: a state is told once it has held for its time; what it means is not known.

One machine for each subject (the source's name, or the rule's own where it watches other rules). S is the state told last, P a state that is pending since T:

| seen                                    | nothing pending                | P pending                      |
|-----------------------------------------|--------------------------------|--------------------------------|
| what speaks for S                       | nothing                        | P is dropped                   |
| what speaks for no state (in between)   | nothing                        | P is dropped                   |
| what speaks for P                       | P pends, T = now (*)           | told when now - T >= its hold  |
| what speaks for another state Q         |                                | Q pends instead, T = now (*)   |
| nothing new (Tick, Trigger)             | nothing                        | told when now - T >= its hold  |
| Lost, or a value that is NaN            | unknown is told, with a reason | the same, and P is dropped     |
| Back, or what the rule does not look at | nothing: the next look says    | nothing                        |
| a gap in the readings, or another boot  | nothing                        | T = now                        |

(*) and told at once when its hold is 0.

It begins `unknown`, which is not told; the first known state is told as soon as it has held for its time, like
any other. A hold time of 0 tells at once. Between two looks, what was seen last is taken to hold: gaps between
frames do not break a holding time, a look that sees something else does. How long a silence may last is the
feed's judgement, which ends in Lost.

Time is the monotonic clock of the samples alone; a wall clock that jumps changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from edgeinfer.events import (
    Decision,
    Instant,
    Key,
    Lost,
    Observation,
    State,
    Tick,
    Trigger,
)
from edgeinfer.ports import RulePlace

Describe = Callable[[State, Any], Mapping[str, Any]]
"""`describe(state, evidence)`: the details of a decision; called only when there is one."""

NOTHING: tuple[Decision, ...] = ()


class States:
    """What one rule has told about each subject, and what is pending."""

    __slots__ = ("_describe", "_held", "_place")

    def __init__(self, place: RulePlace, describe: Describe) -> None:
        self._place, self._describe = place, describe
        self._held: dict[str, _Held] = {}

    def told(self, subject: str) -> State:
        held = self._held.get(subject)
        return held.state if held else "unknown"

    def see(
        self,
        seen: Observation,
        state: State,
        hold_ns: int,
        evidence: object,
        at: Instant | None = None,
        subject: str | None = None,
    ) -> tuple[Decision, ...]:
        """`seen` speaks for `state`, which is to hold for `hold_ns` before it is told.

        Args:
            seen: where it was seen.
            state: the state, or "unknown" when it speaks for none: what is pending is then dropped.
            hold_ns: its holding time.
            evidence: what `describe` gets if this becomes a decision.
            at: the moment, when it is not that of `seen`.
            subject: what it is about, when it is not the source of `seen`.
        """
        at, subject = at or seen.at, subject or seen.key[0]
        held = self._held.get(subject)
        if held is None:
            held = self._held[subject] = _Held()
        if held.see(state, hold_ns, evidence, at):
            return (self._decision(held, seen.key, at, subject),)
        return NOTHING

    def meanwhile(self, seen: Observation) -> tuple[Decision, ...]:
        """Whatever is no look at the world: time goes by, or the source is lost."""
        if isinstance(seen, (Tick, Trigger)):
            return self.wait(seen.key, seen.at, seen.key[0])
        if isinstance(seen, Lost):
            return self.lose(seen.key, seen.at, seen.reason)
        return NOTHING

    def wait(self, key: Key, at: Instant, subject: str) -> tuple[Decision, ...]:
        """Time went by, and nothing new is known."""
        held = self._held.get(subject)
        if held is None or not held.wait(at):
            return NOTHING
        return (self._decision(held, key, at, subject),)

    def lose(self, key: Key, at: Instant, reason: str, subject: str | None = None) -> tuple[Decision, ...]:
        """Nothing is known any more."""
        subject = subject or key[0]
        held = self._held.get(subject)
        if held is None or not held.lose():
            return NOTHING
        return (self._told(key, at, subject, "unknown", {"reason": reason}),)

    def restart(self, subject: str) -> None:
        """What is pending has to hold from the next look on: something may have happened in between."""
        held = self._held.get(subject)
        if held is not None:
            held.drop()

    def _decision(self, held: _Held, key: Key, at: Instant, subject: str) -> Decision:
        return self._told(key, at, subject, held.state, self._describe(held.state, held.evidence))

    def _told(
        self, key: Key, at: Instant, subject: str, state: State, details: Mapping[str, Any]
    ) -> Decision:
        return Decision(self._place.pipeline, self._place.rule, subject, state, at, key, details)


class _Held:
    """One machine of the table above."""

    __slots__ = ("_boot", "_hold_ns", "_pending", "_since_ns", "evidence", "state")

    def __init__(self) -> None:
        self.state: State = "unknown"
        self.evidence: object = None
        self._pending: State | None = None
        self._hold_ns, self._since_ns, self._boot = 0, 0, ""

    def see(self, state: State, hold_ns: int, evidence: object, at: Instant) -> bool:
        if state in (self.state, "unknown"):
            self._pending = None
            return False
        self.evidence = evidence
        if state != self._pending:
            self._pending, self._hold_ns, self._since_ns, self._boot = state, hold_ns, at.mono_ns, at.boot
        return self._ripe(at)

    def wait(self, at: Instant) -> bool:
        return self._pending is not None and self._ripe(at)

    def lose(self) -> bool:
        was, self.state, self._pending = self.state, "unknown", None
        return was != "unknown"

    def drop(self) -> None:
        self._pending = None

    def _ripe(self, at: Instant) -> bool:
        if at.boot != self._boot:
            self._since_ns, self._boot = at.mono_ns, at.boot
        if self._pending is None or at.mono_ns - self._since_ns < self._hold_ns:
            return False
        self.state, self._pending = self._pending, None
        return True
