"""Holds up the feeds of a replay until a sample's moment has come; changes nothing that is decided."""

from __future__ import annotations

import time
from threading import Lock

from edgeinfer.taps import Account, Seen


class Pacing:
    """The tap: recorded distances between samples become real ones; where that is too slow, it goes on from here."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._first: tuple[str, int, int] | None = None

    def __call__(self, post: str, seen: Seen) -> None:
        if not post.startswith("source.") or isinstance(seen, Account):
            return
        with self._lock:
            if self._first is None or self._first[0] != seen.at.boot:
                self._first = (seen.at.boot, seen.at.mono_ns, time.monotonic_ns())
            _, recorded_ns, started_ns = self._first
        wait_s = (seen.at.mono_ns - recorded_ns - (time.monotonic_ns() - started_ns)) / 1e9
        if wait_s > 0:
            time.sleep(wait_s)
