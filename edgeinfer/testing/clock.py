"""A clock that only moves when it is told to."""

from __future__ import annotations

from edgeinfer.events import Instant

START_UNIX_NS = 1_790_000_000_000_000_000  # 2026-09-21T14:13:20Z


class FakeClock:
    """Starts at mono 0 and `unix_ns`; `advance` moves both, `jump` only the wall clock."""

    def __init__(self, unix_ns: int = START_UNIX_NS, boot: str = "feedc0de", *, synced: bool = True) -> None:
        self.boot, self.mono_ns, self.unix_ns, self.synced = boot, 0, unix_ns, synced

    def now(self) -> Instant:
        return Instant(self.boot, self.mono_ns, self.unix_ns, self.synced)

    def advance(self, s: float) -> Instant:
        self.mono_ns += round(s * 1e9)
        self.unix_ns += round(s * 1e9)
        return self.now()

    def jump(self, s: float) -> None:
        """NTP steps the wall clock by `s`; the monotonic clock does not notice."""
        self.unix_ns += round(s * 1e9)
