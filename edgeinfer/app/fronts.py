"""What a running daemon shows to the rooms above it, so that they can be posts of it: the web page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.commands.table import Commands
from edgeinfer.ports import Clock
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.loop import Fatal
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.supervisor import Plan
from edgeinfer.taps import Taps


class Ask(Protocol):
    def __call__(self, work: Callable[[], Any], timeout_s: float = 10.0) -> Any:
        """Has `work` done in the supervisor's thread; returns or raises what it does."""
        ...


@dataclass(frozen=True)
class Inside:
    """`snapshot` is what the command `health` answers, without a record of it; it is called through `ask`."""

    clock: Clock
    health: Health
    outbox: Outbox
    taps: Taps
    fatal: Fatal
    commands: Commands
    ask: Ask
    snapshot: Callable[[], dict[str, Any]]


Front = Callable[[Blueprint, Inside], Plan]
"""`front(blueprint, inside)`: the posts of a room above for this config; asked anew at each plan."""
