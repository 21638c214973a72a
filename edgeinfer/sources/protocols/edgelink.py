"""The protocol `edgelink`: nodes with our own firmware library describe themselves; see docs/firmware.md."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import SourceLost
from edgeinfer.protocols import ProtocolPlace, Rows
from firmware_bridge import link
from firmware_bridge.messages import Log, Status

_TICK_NS = 50_000_000  # the link wants to be asked this often
_POLL_NS = link.REST_NS  # and this often where nothing comes unasked
_LEVELS = {1: 10, 2: 20, 3: 30, 4: 40}  # docs/firmware.md, LOG, to those of `logging`


class Edgelink:
    """See docs/sources.md for what each option means."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """`address` of a node on a shared pair; 0 is point to point."""

        address: Annotated[int, msgspec.Meta(ge=0, le=254)] = 0

    def __init__(self, options: Options, place: ProtocolPlace = ProtocolPlace()) -> None:  # noqa: B008  frozen
        self._place = place
        self.address = options.address
        self.told: dict[str, int] = {}
        self.lost: Counter[str] = Counter()
        self._before: Counter[str] = Counter()  # bad frames of links before this one
        self.notes: dict[str, str] = {}
        self.wake_ns: int | None = None
        self._link = link.Link(self.address)

    @property
    def waits(self) -> bool:
        return self._link.waits

    @property
    def bad(self) -> Counter[str]:
        return self._before + self._bad_now()

    def opened(self, now_ns: int) -> None:
        self._before += self._bad_now()
        absent = self._link.absent or (self.wake_ns is not None and self._link.hello is None)
        self._link, self.wake_ns = link.Link(self.address, absent=absent), now_ns
        self.notes.clear()

    def receive(self, data: bytes, now_ns: int) -> list[Rows]:
        return list(self._rows(self._link.receive(data, now_ns)))

    def outgoing(self, now_ns: int) -> bytes:
        for event in self._link.tick(now_ns):
            self._note(event)
        self.wake_ns = now_ns + (_POLL_NS if self.address else _TICK_NS)
        return self._link.outgoing()

    def _rows(self, events: list[link.Event]) -> Iterator[Rows]:
        for event in events:
            if isinstance(event, link.Block):
                self.notes.pop("link", None)
                yield self._block(event)
            else:
                self._note(event)

    def _block(self, block: link.Block) -> Rows:
        values = _values(block)
        names = tuple(c.name for c in block.channels)
        if block.lost:
            self.lost.update(dict.fromkeys(names, block.lost * len(values)))
        rate_mhz = block.channels[0].rate_mhz
        period_ns = round(1e12 / rate_mhz) if rate_mhz else 0
        return Rows(names, values, block.at_ns, period_ns, block.gap_before)

    def _note(self, event: link.Event) -> None:
        """Raises SourceLost: another node answers than the one that is awaited."""
        if isinstance(event, link.Greeted):
            hello = event.hello
            node = self._place.node
            if node and hello.name != node:
                raise SourceLost(
                    f"node: expected {node!r}, found {hello.name!r} {hello.version} on a {hello.board}: "
                    "was a cable moved, or another firmware flashed?"
                )
            self.notes.pop("link", None)
            if hello.bootloader:
                self.notes["link"] = f"only the bootloader of a {hello.board} answers: flash it a firmware"
        elif isinstance(event, link.OtherVersion):
            self.notes["link"] = str(event)
        elif isinstance(event, link.Silent):
            self.notes["link"] = event.reason
        elif isinstance(event, link.Said):
            self._hear(event.message)

    def _hear(self, message: Log | Status) -> None:
        if isinstance(message, Status):
            self.told = asdict(message)
        else:
            name = self._link.hello.name if self._link.hello else "a node"
            self._place.log(_LEVELS.get(message.level, 20), f"{name}: {message.text}")

    def _bad_now(self) -> Counter[str]:
        _, crc, malformed = self._link.counts
        return Counter({"frame with a wrong CRC": crc, "malformed frame": malformed})


def _values(block: link.Block) -> NDArray[np.float64]:
    """(rows, channels) in units."""
    channels = block.channels
    raw = np.frombuffer(block.raw, "<" + channels[0].format).reshape(-1, len(channels))
    scale, offset = (np.array([getattr(c, name) for c in channels]) for name in ("scale", "offset"))
    values: NDArray[np.float64] = raw.astype(np.float64) * scale + offset
    return values
