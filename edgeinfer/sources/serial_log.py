"""What nodes say of themselves, into the daemon's log; a node that babbles does not fill a disk."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

LINES = 20
_SPAN_S = 60.0


class NodeLog:
    """At most `LINES` lines of one source a minute; how many were left out is said with the next one after that."""

    def __init__(self, source: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._source, self._clock = source, clock
        self._began_s, self._lines = clock(), 0

    def __call__(self, level: int, text: str) -> None:
        if self._clock() - self._began_s >= _SPAN_S:
            if self._lines > LINES:
                log.warning("%s: %d lines of the node were left out", self._source, self._lines - LINES)
            self._began_s, self._lines = self._clock(), 0
        self._lines += 1
        if self._lines <= LINES:
            log.log(level, "%s: %s", self._source, _one_line(text))


def _one_line(text: str) -> str:
    """A node's text can forge no second line of the log, and no colours of a terminal."""
    return "".join(c if c.isprintable() else "·" for c in text)
