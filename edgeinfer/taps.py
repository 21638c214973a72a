"""Taps: where recorder, event ring and live view listen. What they see goes sideways, never forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgeinfer.events import Decision, Entry, Inference, Observation, Sample, State


@dataclass(frozen=True, slots=True)
class Account:
    """How decisions came about: what was seen in that step, and what the rules had told before it (rule → state)."""

    entries: Sequence[Entry]
    seen: Sequence[Observation]
    before: Mapping[str, State]


Event = Sample | Inference | Decision
Seen = Event | Account
Tap = Callable[[str, Seen], None]
"""`tap(post, seen)`, called in the loop of that post: it must return at once and never raise."""


class Taps:
    """The taps that listen now; adding and removing is safe while loops run (the tuple is replaced whole)."""

    def __init__(self) -> None:
        self._taps: tuple[Tap, ...] = ()

    def add(self, tap: Tap) -> None:
        self._taps = (*self._taps, tap)

    def remove(self, tap: Tap) -> None:
        self._taps = tuple(t for t in self._taps if t != tap)

    def __call__(self, post: str, seen: Seen) -> None:
        for tap in self._taps:
            tap(post, seen)
