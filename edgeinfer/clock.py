"""Where time comes from: the one place outside of the loops that asks the system what time it is."""

from __future__ import annotations

import ctypes
import itertools
import time
from pathlib import Path

from edgeinfer.events import Instant, Key
from edgeinfer.ports import Clock

_TIMEX_BYTES = 208  # sizeof(struct timex) on 64-bit Linux
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_SYNC_CHECK_NS = 10_000_000_000


class SystemClock:
    """The machine's clocks; `boot` is the first eight digits of the kernel's boot id."""

    def __init__(self, root: Path = Path("/")) -> None:
        boot_id = root / "proc/sys/kernel/random/boot_id"
        self._boot = boot_id.read_text().strip()[:8] if boot_id.exists() else "00000000"
        self._synced = is_synced()
        self._checked_ns = time.monotonic_ns()

    def now(self) -> Instant:
        mono_ns = time.monotonic_ns()
        if mono_ns - self._checked_ns > _SYNC_CHECK_NS:
            self._synced, self._checked_ns = is_synced(), mono_ns
        return Instant(self._boot, mono_ns, time.time_ns(), self._synced)


class StillClock:
    """The clock of a replay: it is always the same moment, so that nothing depends on when it runs."""

    def now(self) -> Instant:
        return Instant("still", 0, 0, synced=False)


def is_synced() -> bool:
    """Whether the kernel says that NTP or a GPS disciplines the wall clock (adjtimex, modes 0: read only)."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    state: int = ctypes.CDLL(None).adjtimex(timex)
    return 0 <= state < _TIME_ERROR


class SourceStamp:
    """Numbers and times the samples of one source; safe from several threads (`next` on a count is atomic)."""

    def __init__(self, source: str, clock: Clock) -> None:
        self._source, self._clock, self._count = source, clock, itertools.count()

    def __call__(self, at: Instant | None = None) -> tuple[Key, Instant]:
        return (self._source, next(self._count)), at or self._clock.now()
