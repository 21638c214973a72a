"""Ctrl-C while boards are flashed: the first one rolls back in order, the second leaves the boards as they are."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # also when the terminal or the machine is closed
_WORDS = (
    "stopping: boards that are being written get back what they ran; again to leave them as they are",
    "stopping: asking what the boards run now, giving back the ports; again to end at once",
)


class Stop:
    """Called, it says how often the person asked to stop."""

    def __init__(self) -> None:
        self._asked = 0

    def __call__(self) -> int:
        return self._asked

    def ask(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """Raises KeyboardInterrupt at the third time."""
        self._asked += 1
        if self._asked > len(_WORDS):
            raise KeyboardInterrupt
        print(_WORDS[self._asked - 1], file=sys.stderr)


@contextmanager
def stoppable() -> Iterator[Stop]:
    """The signals that end a program go to a Stop inside; for the main thread."""
    stop = Stop()
    before = {number: signal.signal(number, stop.ask) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
