"""A serial source in front of simulated nodes, read as a feed does."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from edgeinfer.clock import SystemClock
from edgeinfer.commons import Commons
from edgeinfer.ports import SourcePlace
from edgeinfer.sources.serial import Serial
from edgeinfer.testing.sources import Reports, source_place
from tests.sources.reader import Reader


class At:
    """A source, its place, and its reader of now."""

    def __init__(self, name: str = "motor", commons: Commons | None = None, **options) -> None:
        written = {"block_s": 3.0} | {k: str(v) if isinstance(v, Path) else v for k, v in options.items()}
        self.reports = Reports()
        self.place: SourcePlace = source_place(name, SystemClock(), self.reports, commons)
        self.source = Serial(msgspec.convert(written, Serial.Options), self.place)

    def read(self) -> Reader:
        """Opens the source (again)."""
        return Reader(self.source)

    @property
    def counters(self) -> dict[str, int]:
        return self.place.meters.counters


def ups(reader: Reader) -> list[int]:
    """Which rows of `counting_node` came; each says by itself that it is whole."""
    rows = np.concatenate([sample.values for sample in reader.found]) / 0.5
    assert (rows[:, 1] == -rows[:, 0]).all()
    return rows[:, 0].astype(int).tolist()
