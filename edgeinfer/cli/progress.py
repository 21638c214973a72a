"""A progress line on stderr, where somebody looks: only on a terminal, redrawn a few times a second."""

from __future__ import annotations

import sys
import time
from types import TracebackType


class Progress:
    """Counts steps of `what`; with a `total` it draws a bar, without one it shows count and rate.

    A `unit` of "bytes" shows megabytes.
    """

    def __init__(self, what: str, total: int = 0, unit: str = "") -> None:
        self._what, self._total, self._unit = what, total, unit
        self.done = 0
        self._shown = sys.stderr.isatty()
        self._start = self._drawn = time.monotonic()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def grow(self, by: int, total: int) -> None:
        """A step whose total is known only now."""
        self._total = total
        self.step(by)

    def step(self, by: int = 1) -> None:
        self.done += by
        now = time.monotonic()
        if self._shown and now - self._drawn > 0.2:
            self._drawn = now
            print(f"\r\033[K{self._line(now)}", end="", file=sys.stderr, flush=True)

    def _line(self, now: float) -> str:
        rate = self.done / max(now - self._start, 1e-9)
        done, speed = (
            (f"{self.done / 1e6:.1f} MB", f"{rate / 1e6:.1f} MB/s")
            if self._unit
            else (str(self.done), f"{rate:.0f}/s")
        )
        if not self._total:
            return f"{self._what}: {done} ({speed})"
        share = min(self.done / self._total, 1.0)
        filled = round(share * 30)
        return f"{self._what} [{'█' * filled}{'·' * (30 - filled)}] {share:4.0%} ({speed})"
