"""Decisions for the tests of outbox and couriers."""

from __future__ import annotations

from edgeinfer.events import Decision, Instant, State
from edgeinfer.testing.clock import FakeClock


def decided(
    clock: FakeClock, n: int = 0, rule: str = "scratched", state: State = "on", **details: object
) -> Decision:
    """One decision now; `n` makes it another one."""
    now: Instant = clock.now()
    return Decision("inspection", rule, "belt", state, now.later(n), ("belt", n), details or {"n": n})


class Board:
    """A `Report` that remembers what is wrong now, and all that was ever said."""

    def __init__(self) -> None:
        self.now: dict[str, str] = {}
        self.said: list[tuple[str, str | None]] = []

    def __call__(self, topic: str, text: str | None) -> None:
        self.said.append((topic, text))
        if text is None:
            self.now.pop(topic, None)
        else:
            self.now[topic] = text
