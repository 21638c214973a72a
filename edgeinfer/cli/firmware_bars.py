"""One progress line a board on stderr: redrawn in place on a terminal, one line a step elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from threading import Lock
from types import TracebackType

_DRAW_S = 0.1
_WIDTH = 30


class Bars:
    """`tell(port, text, share)` from any thread; an empty text keeps the one before."""

    def __init__(self, ports: Sequence[str]) -> None:
        self._lines: dict[str, tuple[str, float | None]] = dict.fromkeys(ports, ("waiting", None))
        self._lock, self._terminal = Lock(), sys.stderr.isatty()
        self._drawn_s, self._drawn = 0.0, False

    def __enter__(self) -> Bars:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._lock:
            self._erase()
            sys.stderr.flush()

    def tell(self, port: str, text: str, share: float | None) -> None:
        with self._lock:
            self._lines[port] = (text or self._lines[port][0], share)
            if not self._terminal:
                if text:
                    print(f"{port}: {text}", file=sys.stderr)
            elif text or time.monotonic() - self._drawn_s > _DRAW_S:
                self._draw()

    def _draw(self) -> None:
        self._erase()
        for port, (text, share) in self._lines.items():
            print(f"{_short(port)} {bar(share)} {text}", file=sys.stderr)
        sys.stderr.flush()
        self._drawn, self._drawn_s = True, time.monotonic()

    def _erase(self) -> None:
        if self._drawn:
            print(f"\033[{len(self._lines)}A\033[J", end="", file=sys.stderr)
            self._drawn = False


def bar(share: float | None) -> str:
    """`[#####·····]  50%`; blank where the share is not known."""
    if share is None:
        return " " * (_WIDTH + 7)
    share = min(max(share, 0.0), 1.0)
    filled = round(share * _WIDTH)
    return f"[{'█' * filled}{'·' * (_WIDTH - filled)}] {share:4.0%}"


def _short(port: str) -> str:
    name = port.rsplit("/", 1)[-1]
    return f"{name if len(name) <= 28 else '…' + name[-27:]:<28}"
