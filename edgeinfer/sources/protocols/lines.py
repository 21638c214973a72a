"""The protocol `lines`: text from a node, one line a row, as CSV, `key=value` or JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.protocols import ProtocolPlace, Rows
from edgeinfer.sources.protocols.channel import SKIP, Channel, as_channels, check_rate
from edgeinfer.sources.protocols.listening import Listening, Row

# A number and the unit behind it, if any. "nan" is a sensor that says that it has no value now.
_NUMBER = re.compile(
    r"\s*([+-]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][+-]?\d{1,3})?|nan)\s*(\S{0,16})\s*", re.ASCII
)
_PAIR = re.compile(r"([^\s,;=:]+)\s*[=:]\s*([^\s,;=:]+)")
_SHOWN = 40


class Lines(Listening):
    """See docs/sources.md for what each option means.

    Raises:
        InputError: an option is wrong in itself.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """CSV needs `channels` in the order of the columns; the other two take all numbers that they find without."""

        format: Literal["csv", "key=value", "json"] = "csv"
        channels: list[str | Channel] = []
        separator: str = ","
        rate_hz: float = 0.0
        longest: int = 1024

    def __init__(self, options: Options, place: ProtocolPlace = ProtocolPlace()) -> None:  # noqa: B008  frozen
        super().__init__(options.rate_hz)
        _check(options, place)
        self._options, self._channels = options, as_channels(options.channels)
        self._by_key = {c.key: c for c in self._channels if c.name != SKIP}
        self.opened(0)

    def opened(self, now_ns: int) -> None:  # noqa: ARG002  the protocol's form
        """The first line after it is half of one, most likely: "21.5" cut to "1.5" would pass as a reading."""
        self._half, self._skip, self._gap = b"", True, False

    def receive(self, data: bytes, now_ns: int) -> list[Rows]:
        return self.blocks(self._rows(data), now_ns)

    def _rows(self, data: bytes) -> Iterator[Row]:
        *lines, self._half = (self._half + data).split(b"\n")
        for line in lines:
            if self._skip:
                self._skip = False
            elif len(line) > self._options.longest:
                self._count_bad("over-long line")
            elif line.strip():
                yield from self._row(line)
        if len(self._half) > self._options.longest:
            if not self._skip:
                self._count_bad("over-long line")
            self._half, self._skip = b"", True

    def _row(self, line: bytes) -> Iterator[Row]:
        found = self._fields(line)
        values = {} if found is None else self._values(found)
        if not values:
            shown = ascii(line[:_SHOWN].decode("latin-1"))
            self._count_bad("line that does not read as " + self._options.format, whole=found is None)
            self.notes["line"] = f"expected {self._expected()}, found the line {shown}"
            return
        self.notes.pop("line", None)
        gap, self._gap = self._gap, False
        yield tuple(values), tuple(values.values()), gap

    def _fields(self, line: bytes) -> Mapping[str, object] | None:
        """What the line says, by the node's own names; None when it is not of the format."""
        try:
            text = line.decode("utf-8").strip()
        except UnicodeDecodeError:
            return None
        if self._options.format == "csv":
            return self._columns(text)
        return _pairs(text) if self._options.format == "key=value" else _object(text)

    def _columns(self, text: str) -> Mapping[str, object] | None:
        columns = text.split(self._options.separator)
        if len(columns) != len(self._channels):
            return None
        return {c.key: raw for c, raw in zip(self._channels, columns, strict=True) if c.name != SKIP}

    def _values(self, found: Mapping[str, object]) -> dict[str, float]:
        """By channel, in units; a field that is no number is counted as lost for its channel only."""
        values: dict[str, float] = {}
        for key, raw in found.items():
            channel = self._by_key.get(key) if self._by_key else Channel(name=key)
            if channel is None:
                continue
            value = _number(raw, channel.unit)
            if value is not None and not math.isinf(scaled := value * channel.scale + channel.offset):
                values[channel.name] = scaled
            elif self._by_key:
                self.lost[channel.name] += 1
                self.bad["field that is no number"] += 1
        return values

    def _count_bad(self, kind: str, *, whole: bool = True) -> None:
        self._gap = True
        self.bad[kind] += 1
        if whole:  # else its fields were counted one by one
            self.lost.update(c.name for c in self._by_key.values())

    def _expected(self) -> str:
        if self._options.format == "csv":
            return f"{len(self._channels)} numbers with {self._options.separator!r} between them"
        form = "name=number pairs" if self._options.format == "key=value" else "a JSON object with numbers"
        return form + (f", at least one of {', '.join(self._by_key)}" if self._by_key else "")


def _pairs(text: str) -> Mapping[str, object] | None:
    found = _PAIR.findall(text)
    return dict(found) if found else None


def _object(text: str) -> Mapping[str, object] | None:
    """Nested objects are flat here: {"imu": {"x": 1}} says "imu.x"."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return dict(_flat(parsed)) if isinstance(parsed, dict) else None


def _flat(table: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict) and before.count(".") < 4:
            yield from _flat(value, f"{before}{key}.")
        else:
            yield before + key, value


def _number(raw: object, unit: str) -> float | None:
    """None when it is no number, or has another unit behind it than the channel's."""
    if raw is None:
        return math.nan
    if isinstance(raw, bool):
        return float(raw)
    if isinstance(raw, int | float):
        return _finite(raw)
    match = _NUMBER.fullmatch(raw) if isinstance(raw, str) else None
    if match is None or match[2] not in ("", unit):
        return None
    return _finite(float(match[1]))


def _finite(number: float) -> float | None:
    try:
        value = float(number)
    except OverflowError:
        return None
    return None if math.isinf(value) else value


def _check(options: Lines.Options, place: ProtocolPlace) -> None:
    check_rate(options.rate_hz)
    if place.node:
        raise InputError("node: the protocol lines knows no names; expected port instead")
    if options.format == "csv" and not options.channels:
        raise InputError('channels: CSV needs the names of its columns, ["temperature", "_", …]; found none')
    if not options.separator or "\n" in options.separator:
        raise InputError(f"separator: expected the text between two columns, found {options.separator!r}")
    if not 8 <= options.longest <= 65_536:
        raise InputError(f"longest: expected bytes of a line, 8 to 65536, found {options.longest}")
