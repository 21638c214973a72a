"""The port between the source `serial` and the protocol that a node speaks: bytes to rows, and what is to be written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What a protocol read off the wire: `values` (n, channels) float64 in units, the first row at `at_ns`.

    `at_ns` is of the host's monotonic clock; `gap_before` tells that rows of these channels were lost before.
    """

    channels: tuple[str, ...]
    values: NDArray[Any]
    at_ns: int
    period_ns: int = 0
    gap_before: bool = False


@dataclass(frozen=True, slots=True)
class ProtocolPlace:
    """Which node is awaited on the line, where a protocol knows names; "" takes any."""

    node: str = ""


class LineProtocol(Protocol):
    """Bytes to rows; no clock, no port: the source serial reads, writes and asks the time for it.

    `lost` counts rows by channel, `bad` counts what could not be read by kind, both since the protocol was made.
    `notes` says what is wrong now, topic to sentence. `wake_ns` is when `outgoing` wants to be asked next.
    """

    lost: Mapping[str, int]
    bad: Mapping[str, int]
    notes: Mapping[str, str]
    wake_ns: int | None

    def opened(self, now_ns: int) -> None:
        """The port was opened (again): what was half read is forgotten, the counters go on."""
        ...

    def receive(self, data: bytes, now_ns: int) -> Sequence[Rows]:
        """Bytes that arrived at `now_ns`.

        Raises:
            SourceLost: this is not the node that is awaited.
        """
        ...

    def outgoing(self, now_ns: int) -> bytes:
        """What is to be written now."""
        ...
