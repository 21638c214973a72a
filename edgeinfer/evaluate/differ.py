"""Two runs over the same input: which decisions differ, and when; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from edgeinfer.events import Decision, State

Kind = Literal["added", "missing", "state", "time"]

SAME_S = 10.0
"""The same state of the same rule within so long is the same decision at another time, and else another decision."""


@dataclass(frozen=True, slots=True)
class Difference:
    """`was` and `at_ns` (unix) are of the first run, `now` and `now_ns` of the second; None: it has no such decision."""

    kind: Kind
    pipeline: str
    rule: str
    subject: str
    was: State | None
    at_ns: int | None
    now: State | None
    now_ns: int | None

    @property
    def when_ns(self) -> int:
        return (self.now_ns if self.at_ns is None else self.at_ns) or 0


def differences(first: Iterable[Decision], second: Iterable[Decision]) -> list[Difference]:
    """What `second` decides otherwise than `first`, by time.

    What is equal in both is taken away; of the rest, the same state within `SAME_S` is the same decision at another
    time, another state at the same moment is another state; what then is left was added, or is missing.
    """
    ours, theirs = _by_rule(first), _by_rule(second)
    found = []
    for who in sorted({*ours, *theirs}):
        found += _of_rule(who, ours.get(who, []), theirs.get(who, []))
    return sorted(found, key=lambda d: (d.when_ns, d.rule, d.kind))


_Who = tuple[str, str, str]
_Told = tuple[int, State]


def _by_rule(decisions: Iterable[Decision]) -> dict[_Who, list[_Told]]:
    found: dict[_Who, list[_Told]] = {}
    for d in decisions:
        found.setdefault((d.pipeline, d.rule, d.subject), []).append((d.at.unix_ns, d.state))
    return found


def _of_rule(who: _Who, first: list[_Told], second: list[_Told]) -> list[Difference]:
    for told in list(first):
        if told in second:
            first.remove(told)
            second.remove(told)
    found = []
    for told in list(first):
        other, kind = _partner(told, second)
        if other is not None:
            second.remove(other)
        found.append(Difference(kind, *who, told[1], told[0], *_turned(other)))
    return found + [Difference("added", *who, None, None, state, at_ns) for at_ns, state in second]


def _partner(told: _Told, candidates: Sequence[_Told]) -> tuple[_Told | None, Kind]:
    at_ns, state = told
    near = [c for c in candidates if c[1] == state and abs(c[0] - at_ns) <= SAME_S * 1e9]
    if near:
        return min(near, key=lambda c: abs(c[0] - at_ns)), "time"
    same = [c for c in candidates if c[0] == at_ns]
    return (same[0], "state") if same else (None, "missing")


def _turned(told: _Told | None) -> tuple[State | None, int | None]:
    return (None, None) if told is None else (told[1], told[0])
