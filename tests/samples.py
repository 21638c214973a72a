"""Small samples for the tests of the runtime."""

from __future__ import annotations

import numpy as np

from edgeinfer.events import Frame, Instant, Lost, Readings, Tick


def at(s: float = 0.0, boot: str = "test") -> Instant:
    return Instant(boot, round(s * 1e9), round((1_700_000_000 + s) * 1e9))


def frame(n: int = 0, source: str = "cam", s: float | None = None) -> Frame:
    return Frame((source, n), at(n if s is None else s), np.full((4, 6, 3), n % 256, np.uint8))


def readings(n: int = 0, source: str = "motor", value: float = 0.0) -> Readings:
    return Readings((source, n), at(n), ("vibration",), np.array([[value]]))


def tick(n: int = 0, source: str = "cam") -> Tick:
    return Tick((source, n), at(n))


def lost(n: int = 0, source: str = "cam", reason: str = "unplugged") -> Lost:
    return Lost((source, n), at(n), reason)
