"""Devices as generators of samples. Protocols only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from edgeinfer.commons import Commons
from edgeinfer.events import Sample
from edgeinfer.meters import Meters
from edgeinfer.ports.common import Report, Stamp, Stop

Flow = Literal["newest", "queue", "lockstep"]
"""How samples pass the mailbox: `newest` for live pictures, `queue` for readings, `lockstep` for files."""


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """Where a source stands: its name, its stamp, whom to tell what is wrong, and what it shares with the others.

    `meters` are those of its post; the thread that runs the source writes them.
    """

    name: str
    stamp: Stamp
    report: Report
    meters: Meters = field(default_factory=Meters)
    commons: Commons = field(default_factory=Commons)
    device: str = ""
    machine_id: str = ""


class Source(Protocol):
    """A device as a generator of samples.

    `block_s` is the longest that one `next()` may block; a source that overruns twice that is replaced.
    One that opens a port says so in the attribute `seat` (a `commons.Seat`, or None).
    """

    block_s: float
    flow: Flow

    def samples(self, stop: Stop) -> Iterator[Sample]:
        """Opens inside, closes on the way out. Returning is the end of input.

        Raises:
            SourceLost: "open me again".
        """
        ...
