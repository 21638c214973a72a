"""Blocks of readings into windows of one length, a hop apart; computes no features."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import InferenceLost, nearest
from edgeinfer.events import Instant, Readings
from edgeinfer.store import WindowOptions

Array = NDArray[Any]

_RATE_TOLERANCE = 0.02
"""A quartz is right to 0.01 %, an RC oscillator to 1 %: what is further off is another rate."""


_PATIENCE_S = 10.0
"""For so long, and longer for slow sensors, a source may give other channels and none of the model's."""


class Collector:
    """The windows of one source; `gap_before` or another boot begins anew, so that none spans a gap.

    A source may give blocks of other channels in between: these are passed over, as long as ours come, too.
    """

    def __init__(self, options: WindowOptions) -> None:
        self._options = options
        self._rows: Array = np.empty((0, len(options.channels)))
        self._skip = 0  # rows still to pass over, where the hop is longer than a window
        self._known: tuple[str, ...] = ()
        self._boot = ""
        self._columns: slice | list[int] = []
        self._last_ns: int | None = None  # of our newest block; before it, of the first of the others
        self._patience_ns = round(max(_PATIENCE_S, 2 * options.length / options.rate_hz) * 1e9)

    def add(self, readings: Readings) -> Iterator[tuple[Instant, Array]]:
        """(moment of the last row, window (length, channels) float64) for each window that is full now.

        Raises:
            InferenceLost: a channel is missing, or the rate is not the model's.
        """
        if not self._is_ours(readings):
            return
        if readings.channels != self._known:
            self._aim(readings.channels)
        self._check_rate(readings.period_ns)
        if readings.gap_before or readings.at.boot != self._boot:
            self._boot = readings.at.boot
            self._rows, self._skip = self._rows[:0], 0
        values = readings.values[:, self._columns]
        first = -len(self._rows)  # of our rows, counted from the first of `readings`
        rows = np.concatenate((self._rows, values)) if len(self._rows) else values
        yield from self._cut(rows, first, readings)

    def _cut(self, rows: Array, first: int, readings: Readings) -> Iterator[tuple[Instant, Array]]:
        length, start = self._options.length, self._skip
        while start + length <= len(rows):
            last = first + start + length - 1
            yield readings.at.later(last * readings.period_ns), rows[start : start + length]
            start += self._options.step
        self._rows, self._skip = rows[start:].copy(), max(0, start - len(rows))

    def _is_ours(self, readings: Readings) -> bool:
        """Whether any of the model's channels is in it; one that is not may stand beside ours for a while only."""
        now_ns, last_ns = readings.at.mono_ns, self._last_ns
        if not set(self._options.channels).isdisjoint(readings.channels):
            if last_ns is not None:
                self._patience_ns = max(self._patience_ns, 3 * (now_ns - last_ns))
            self._last_ns = now_ns
            return True
        if last_ns is None:
            self._last_ns = now_ns
        elif now_ns - last_ns > self._patience_ns:
            self._aim(readings.channels)  # says what is missing
        return False

    def _aim(self, channels: tuple[str, ...]) -> None:
        for name in self._options.channels:
            if name not in channels:
                raise InferenceLost(
                    f"the model needs the channel {name!r}{nearest(name, channels)} "
                    f"(the source gives: {', '.join(channels)})"
                )
        columns = [channels.index(name) for name in self._options.channels]
        whole = columns == list(range(len(channels)))
        self._known, self._columns = channels, slice(None) if whole else columns

    def _check_rate(self, period_ns: int) -> None:
        """A source that does not know its period is believed."""
        rate = self._options.rate_hz
        if period_ns and abs(period_ns * rate / 1e9 - 1) > _RATE_TOLERANCE:
            raise InferenceLost(
                f"the model needs {rate:g} readings a second, the source gives {1e9 / period_ns:g}"
            )
