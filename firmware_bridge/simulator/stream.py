"""What a simulated node measures: channels, a signal, and where a running stream is in its rows and blocks; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from firmware_bridge import messages as m

Signal = Callable[[int, int], bytes]
"""`signal(first, rows)`: the raw values of so many rows from row `first` on, packed as READINGS wants them."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Channels that are sampled together, `rows` to a block. `channels` all have the same block id and rate."""

    channels: tuple[m.Channel, ...]
    signal: Signal
    rows: int


@dataclass(slots=True)
class Running:
    """A stream that was started: where it is in its rows and blocks."""

    stream: Stream
    rate_mhz: int
    begun_us: int = 0
    row: int = 0
    number: int = 0

    def due_us(self) -> int:
        """When the block that is being filled is full, in MCU time that does not wrap."""
        return self.at_us(self.row + self.stream.rows)

    def at_us(self, row: int) -> int:
        return self.begun_us + row * 1_000_000_000 // self.rate_mhz
