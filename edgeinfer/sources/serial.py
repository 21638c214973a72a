"""The source `serial`: readings of a microcontroller on a serial port, in the protocol that it speaks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from edgeinfer import registry
from edgeinfer.errors import InputError, SourceLost
from edgeinfer.events import Readings
from edgeinfer.ports import Flow, SourcePlace, Stop
from edgeinfer.protocols import LineProtocol, ProtocolPlace, Rows
from edgeinfer.sources.options import check_seconds
from edgeinfer.sources.protocols.lines import Lines
from edgeinfer.sources.protocols.struct import Struct
from edgeinfer.sources.serial_loss import Loss, summary
from firmware_bridge.errors import PortError
from firmware_bridge.port import Parity, Port, Setting

_SHIPPED = ("edgelink", "lines", "struct")  # have a table of their own
_LOOK_S = 0.2  # how often a waiting read looks whether it should stop


class Serial:
    """See docs/sources.md for what each option means.

    Raises:
        InputError: an option is wrong in itself.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """The options of a protocol stand in a table of its name; of one from another package, in `options`."""

        port: str = ""
        node: str = ""
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
        self._protocol = protocol_of(options)
        self._loss = Loss(self._protocol, place.report)
        self._setting = Setting(
            baud=options.baud,
            data_bits=options.data_bits,
            parity=options.parity,
            stop_bits=options.stop_bits,
            dtr=options.dtr,
            rts=options.rts,
        )
        self._again = False  # whether samples were lost because the port had been away
        self._last_ns: dict[tuple[str, ...], int] = {}

    def samples(self, stop: Stop) -> Iterator[Readings]:
        """Readings until `stop`.

        Raises:
            SourceLost: the port is not there, busy or unplugged, or gave no reading within `block_s`.
        """
        try:
            with Port(self._options.port, self._setting) as port:
                yield from self._samples(port, stop)
        except PortError as error:
            raise SourceLost(str(error)) from error

    def _samples(self, port: Port, stop: Stop) -> Iterator[Readings]:
        self._protocol.opened(time.monotonic_ns())
        gaps = set[tuple[str, ...]]()  # channels that were told of the time that the port was away
        for rows in self._rows(port, stop):
            away = self._again and rows.channels not in gaps
            gaps.add(rows.channels)
            yield self._readings(rows, away=away)

    def _rows(self, port: Port, stop: Stop) -> Iterator[Rows]:
        heard, until_s = 0, time.monotonic() + self._options.block_s
        try:
            while not stop.is_set():
                data = self._exchange(port)
                heard += len(data)
                found = self._protocol.receive(data, time.monotonic_ns()) if data else ()
                self._loss.tell(time.monotonic_ns())
                if found:
                    yield from found
                    heard, until_s = 0, time.monotonic() + self._options.block_s
                elif time.monotonic() > until_s:
                    raise SourceLost(self._silent(port.name, heard))
        finally:
            self._again = True

    def _exchange(self, port: Port) -> bytes:
        now_ns = time.monotonic_ns()
        if says := self._protocol.outgoing(now_ns):
            port.write(says)
        wake_ns = self._protocol.wake_ns
        due_s = _LOOK_S if wake_ns is None else (wake_ns - now_ns) / 1e9
        return port.read(min(_LOOK_S, max(0.0, due_s)))

    def _readings(self, rows: Rows, *, away: bool) -> Readings:
        key, now = self._place.stamp()
        at_ns = max(rows.at_ns, self._last_ns.get(rows.channels, rows.at_ns))
        self._last_ns[rows.channels] = at_ns
        at = now.later(at_ns - now.mono_ns)
        return Readings(key, at, rows.channels, rows.values, rows.period_ns, rows.gap_before or away)

    def _silent(self, path: str, heard: int) -> str:
        options = self._options
        if not heard:
            return (
                f"{path} was silent for {options.block_s:.1f} s: does the node run, and do TX and RX cross?"
            )
        said = "; ".join(filter(None, (summary(self._protocol), *self._protocol.notes.values())))
        return (
            f"{path} gave {heard} bytes and no reading in {options.block_s:.1f} s: expected the protocol "
            f"{options.protocol} at {options.baud} baud" + (f" ({said})" if said else "")
        )


def protocol_of(options: Serial.Options) -> LineProtocol:
    """The protocol, built from the table of its name.

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
        made: LineProtocol = plugin(written, ProtocolPlace(options.node))
    except (msgspec.ValidationError, InputError) as error:
        raise InputError(f"{table}: {error}") from error
    return made


def _check(options: Serial.Options) -> None:
    if not options.port:
        raise InputError('port: expected a serial port, such as "/dev/serial/by-id/usb-…"; found none')
    if not 50 <= options.baud <= 20_000_000:
        raise InputError(f"baud: expected 50 to 20000000, found {options.baud}")
    check_seconds("block_s", options.block_s, least_s=0.2)


def _check_tables(options: Serial.Options) -> None:
    for table in _SHIPPED:
        if table != options.protocol and getattr(options, table) is not None:
            raise InputError(
                f'{table}: this table is read with protocol = "{table}" only, found {options.protocol!r}'
            )
