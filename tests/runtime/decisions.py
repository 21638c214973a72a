"""Decisions for the tests of outbox and couriers."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.events import Decision, Instant, State
from edgeinfer.runtime.outbox import Outbox
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


def fill(outbox: Outbox, clock: FakeClock, count: int) -> None:
    for n in range(count):
        outbox.append([decided(clock, n)])


def copy_of_a_killed_daemon(state: Path, to: Path) -> None:
    to.mkdir()
    for path in state.iterdir():
        (to / path.name).write_bytes(path.read_bytes())
