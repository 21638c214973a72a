"""From observations to decisions. Protocols only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from edgeinfer.events import Decision, Observation


@dataclass(frozen=True, slots=True)
class RulePlace:
    pipeline: str
    rule: str


class Rule(Protocol):
    """Pure but for its own memory; knows time only from what it sees."""

    def observe(self, seen: Observation) -> Iterable[Decision]: ...
