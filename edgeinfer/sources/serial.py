"""The source `serial`: readings of a microcontroller on a serial port, in the protocol that it speaks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import msgspec

from edgeinfer import registry
from edgeinfer.commons import Seat
from edgeinfer.config.values import check_seconds
from edgeinfer.errors import InputError, SourceLost
from edgeinfer.events import Readings
from edgeinfer.ports import Flow, SourcePlace, Stop
from edgeinfer.protocols import LineProtocol, ProtocolPlace, Rows
from edgeinfer.sources.protocols.lines import Lines
from edgeinfer.sources.protocols.struct import Struct
from edgeinfer.sources.serial_line import OwnLine, SharedLines, Talk
from edgeinfer.sources.serial_log import NodeLog
from edgeinfer.sources.serial_loss import Loss, summary
from edgeinfer.sources.serial_search import ASK_S, Search
from firmware_bridge.errors import PortError
from firmware_bridge.port import Parity, Port, Setting

_SHIPPED = ("edgelink", "lines", "struct")  # have a table of their own


class Serial:
    """See docs/sources.md for what each option means.

    Raises:
        InputError: an option is wrong in itself.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """The options of a protocol stand in a table of its name; of one from another package, in `options`."""

        port: str = ""
        node: str = ""
        ports: list[str] = []
        protocol: str = "edgelink"
        baud: int = 115_200
        data_bits: Literal[7, 8] = 8
        parity: Parity = "none"
        stop_bits: Literal[1, 2] = 1
        dtr: bool | None = None
        rts: bool | None = None
        block_s: float = 5.0
        lines: Lines.Options | None = None
        struct: Struct.Options | None = None
        edgelink: dict[str, Any] | None = None
        options: dict[str, Any] | None = None

    flow: Flow = "queue"

    def __init__(self, options: Options, place: SourcePlace) -> None:
        _check(options)
        self._options, self._place, self.block_s = options, place, options.block_s
        self._protocol = protocol_of(options, NodeLog(place.name))
        self._loss = Loss(self._protocol, place.report, place.meters)
        self._setting = Setting(
            baud=options.baud,
            data_bits=options.data_bits,
            parity=options.parity,
            stop_bits=options.stop_bits,
            dtr=options.dtr,
            rts=options.rts,
        )
        if self._protocol.address and not options.port:
            raise InputError("port: expected one, since nodes with an address share it; found none")
        self._search = Search(options.node, options.ports, self._setting, place.commons)
        self.seat = Seat(options.port, self._protocol.address, self._setting) if options.port else None
        self._again = False  # whether samples were lost because the port had been away
        self._last_ns: dict[tuple[str, ...], int] = {}

    def samples(self, stop: Stop) -> Iterator[Readings]:
        """Readings until `stop`.

        Raises:
            SourceLost: the port is not there, busy or unplugged, has another node, or gave no reading within
                `block_s`; or no port has the node.
        """
        name = self._options.port or self._search.find(stop, self.block_s / 2)
        if not name:
            return
        try:
            with self._opened(name) as line:
                yield from self._samples(name, line, stop)
        except PortError as error:
            raise SourceLost(str(error)) from error

    @contextmanager
    def _opened(self, name: str) -> Iterator[Talk]:
        if self._protocol.address:
            lines = self._place.commons.the(SharedLines)
            with lines.joined(name, self._setting, self._protocol.address) as shared:
                yield shared
        else:
            with Port(name, self._setting) as port, self._told(name):
                yield OwnLine(port)

    @contextmanager
    def _told(self, name: str) -> Iterator[None]:
        """Who lends ports to flashers has to know where we are; the config says it where it names the port."""
        found = self._place.commons.found
        if not self._options.port:
            found[self._place.name] = name
        try:
            yield
        finally:
            found.pop(self._place.name, None)

    def _samples(self, name: str, line: Talk, stop: Stop) -> Iterator[Readings]:
        self._protocol.opened(time.monotonic_ns())
        gaps = set[tuple[str, ...]]()  # channels that were told of the time that the port was away
        for rows in self._rows(name, line, stop):
            away = self._again and rows.channels not in gaps
            gaps.add(rows.channels)
            yield self._readings(rows, away=away)

    def _rows(self, name: str, line: Talk, stop: Stop) -> Iterator[Rows]:
        before = False  # whether rows have come since the opening
        size, until_s = 0, time.monotonic() + self._options.block_s
        try:
            while not stop.is_set():
                heard = line.exchange(self._protocol, stop)
                size += heard.size
                self._loss.tell(time.monotonic_ns())
                if heard.rows:
                    yield from heard.rows
                    before, size, until_s = True, 0, time.monotonic() + self._options.block_s
                elif time.monotonic() > until_s:
                    raise SourceLost(self._silent(name, size, before=before))
        finally:
            self._again = True

    def _readings(self, rows: Rows, *, away: bool) -> Readings:
        key, now = self._place.stamp()
        at_ns = max(rows.at_ns, self._last_ns.get(rows.channels, rows.at_ns))
        self._last_ns[rows.channels] = at_ns
        at = now.later(at_ns - now.mono_ns)
        return Readings(key, at, rows.channels, rows.values, rows.period_ns, rows.gap_before or away)

    def _silent(self, path: str, heard: int, *, before: bool) -> str:
        options = self._options
        if not heard:
            return (
                f"{path} was silent for {options.block_s:.1f} s: does the node run, and do TX and RX cross?"
            )
        said = "; ".join(filter(None, (summary(self._protocol), *self._protocol.notes.values())))
        said = f" ({said})" if said else ""
        if before:
            return (
                f"{path} gave no reading any more for {options.block_s:.1f} s: does the node still run?{said}"
            )
        return (
            f"{path} gave {heard} bytes and no reading in {options.block_s:.1f} s: expected the protocol "
            f"{options.protocol} at {options.baud} baud{said}"
        )


def protocol_of(options: Serial.Options, log: Callable[[int, str], None]) -> LineProtocol:
    """The protocol, built from the table of its name; `log` hears what the node has to say.

    Raises:
        InputError: there is none of that name, or its options are wrong.
    """
    try:
        plugin = registry.find("protocols", options.protocol)
    except InputError as error:
        raise InputError(f"protocol: {error}") from error
    _check_tables(options)
    shipped = options.protocol in _SHIPPED
    table = options.protocol if shipped else "options"
    written = getattr(options, table)
    try:
        if not isinstance(written, msgspec.Struct):
            written = msgspec.convert(written or {}, plugin.Options)
        made: LineProtocol = plugin(written, ProtocolPlace(options.node, log))
    except (msgspec.ValidationError, InputError) as error:
        raise InputError(f"{table}: {error}") from error
    return made


def _check(options: Serial.Options) -> None:
    if not options.port and (not options.node or options.protocol != "edgelink"):
        raise InputError(
            'port: expected a serial port, such as "/dev/serial/by-id/usb-…", or with the protocol edgelink '
            "the name of a node to look for (node); found none"
        )
    if options.ports and options.port:
        raise InputError("ports: these are looked at for a node whose port is not given; found port, too")
    if not 50 <= options.baud <= 20_000_000:
        raise InputError(f"baud: expected 50 to 20000000, found {options.baud}")
    check_seconds("block_s", options.block_s, least_s=0.2 if options.port else 2 * ASK_S)


def _check_tables(options: Serial.Options) -> None:
    for table in _SHIPPED:
        if table != options.protocol and getattr(options, table) is not None:
            raise InputError(
                f'{table}: this table is read with protocol = "{table}" only, found {options.protocol!r}'
            )
