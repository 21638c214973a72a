"""Keeps the log from being flooded: a message that comes again and again is counted, and the count is told."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

_WINDOW_S = 60.0
_FREE = 3  # so many of one message go through in a window
_MOST = 512  # different messages that are remembered


@dataclass
class _Window:
    start_s: float
    seen: int
    last: logging.LogRecord


class Quiet(logging.Handler):
    """Hands records on to `to`; of one message (logger, place, text) only the first few in a window.

    What was held back is told when its window is over, before the next record of any kind, and at `close`:
    "… (117 times more in 60 s)", with the number in `record.times`. Errors with a trace are never held back.
    """

    def __init__(
        self,
        to: logging.Handler,
        window_s: float = _WINDOW_S,
        free: int = _FREE,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._to, self._window_s, self._free, self._now_s = to, window_s, free, now_s
        self._windows: dict[tuple[str, int, str], _Window] = {}
        self._own = Lock()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._emit(record, self._now_s())
        except Exception:  # text and arguments do not fit: the daemon goes on, stderr has the place
            self.handleError(record)

    def _emit(self, record: logging.LogRecord, now_s: float) -> None:
        with self._own:
            over = self._over(now_s)
            passes = bool(record.exc_info) or self._count(record, now_s)
        for window in over:
            self._tell(window)
        if passes:
            self._to.handle(record)

    def close(self) -> None:
        with self._own:
            windows, self._windows = list(self._windows.values()), {}
        for window in windows:
            self._tell(window)
        self._to.close()
        super().close()

    def _over(self, now_s: float) -> list[_Window]:
        """The windows that are over, taken out; all of them when there are too many, so that memory stays bounded."""
        full = len(self._windows) >= _MOST
        keys = [k for k, w in self._windows.items() if full or now_s - w.start_s >= self._window_s]
        return [self._windows.pop(key) for key in keys]

    def _count(self, record: logging.LogRecord, now_s: float) -> bool:
        key = (record.name, record.lineno, record.getMessage())
        window = self._windows.setdefault(key, _Window(now_s, 0, record))
        window.seen += 1
        window.last = record
        return window.seen <= self._free

    def _tell(self, window: _Window) -> None:
        more = window.seen - self._free
        if more <= 0:
            return
        last = window.last
        text = f"{last.getMessage()} ({more} times more in {self._window_s:.0f} s)"
        told = logging.makeLogRecord(vars(last) | {"msg": text, "args": (), "times": more})
        self._to.handle(told)
