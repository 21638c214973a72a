"""The port between the source `serial` and the protocol that a node speaks: bytes to rows, and what is to be written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


def _unheard(_level: int, _text: str) -> None:
    """Where nobody listens, as when a config is checked."""


@dataclass(frozen=True, slots=True)
class ProtocolPlace:
    """Which node is awaited on the line, where a protocol knows names ("" takes any), and who hears what it says.

    `log(level, text)` takes what the node itself wants to tell; `level` as in `logging`.
    """

    node: str = ""
    log: Callable[[int, str], None] = _unheard


class LineProtocol(Protocol):
    """Bytes to rows; no clock, no port: the source serial reads, writes and asks the time for it.

    `lost` counts rows by channel, `bad` counts what could not be read by kind, both since the protocol was made.
    `told` are the counters that the node itself has told. `notes` says what is wrong now, topic to sentence.
    `wake_ns` is when `outgoing` wants to be asked next.

    `address` of a node that speaks only when it is asked, so that several may share a line, each exchange in its turn;
    0: it has the line for itself. `waits`: an answer is outstanding.
    """

    address: int

    lost: Mapping[str, int]
    bad: Mapping[str, int]
    told: Mapping[str, int]
    notes: Mapping[str, str]
    wake_ns: int | None

    @property
    def waits(self) -> bool: ...

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
