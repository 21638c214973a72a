"""What sources, sinks and loops share: how to report, to stop, and to tell the time. Protocols only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from numpy.typing import NDArray

from edgeinfer.events import Instant, Key

Array = NDArray[Any]

Report = Callable[[str, str | None], None]
"""`report(topic, text)` says in health and log what is wrong with a part now; None takes it back."""


class Stop(Protocol):
    """What a `threading.Event` offers to somebody who waits and may be asked to stop."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class Clock(Protocol):
    def now(self) -> Instant: ...


class Stamp(Protocol):
    """Numbers and times the samples of one source; shared by the source and its feed."""

    def __call__(self, at: Instant | None = None) -> tuple[Key, Instant]:
        """The next key, and `at` or else now."""
        ...
