"""The protocol `struct`: binary frames of one length, found by their sync bytes and proven by their checksum."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from typing import Literal

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.protocols import ProtocolPlace, Rows
from edgeinfer.sources.protocols.channel import SKIP, Channel, as_channels, check_rate
from edgeinfer.sources.protocols.checksum import Checksum, checksum
from edgeinfer.sources.protocols.listening import Listening, Row

_LONGEST = 4096


class Struct(Listening):
    """See docs/sources.md for what each option means.

    A frame on the wire is sync bytes, the struct, and the checksum.

    Raises:
        InputError: an option is wrong in itself.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """`layout` is Python's `struct` format with its byte order: "<hhhI"."""

        sync: str
        layout: str
        channels: list[str | Channel]
        checksum: Checksum = "none"
        checksum_over: Literal["struct", "all"] = "struct"
        checksum_order: Literal["little", "big"] = "little"
        counter: str = ""
        rate_hz: float = 0.0

    def __init__(self, options: Options, place: ProtocolPlace = ProtocolPlace()) -> None:  # noqa: B008  frozen
        super().__init__(options.rate_hz)
        check_rate(options.rate_hz)
        if place.node:
            raise InputError("node: the protocol struct knows no names; expected port instead")
        self._options, self._sync = options, _sync(options.sync)
        self._layout, self._channels = _layout(options), as_channels(options.channels)
        self._wanted = [(i, c) for i, c in enumerate(self._channels) if c.name not in (SKIP, options.counter)]
        self._counter, self._modulus = _counter(options, self._channels)
        self._sum_bytes, self._sum = checksum(options.checksum)
        self._bytes = len(self._sync) + self._layout.size + self._sum_bytes
        self.opened(0)

    def opened(self, now_ns: int) -> None:  # noqa: ARG002  the protocol's form
        self._held, self._gap, self._last = b"", False, -1

    def receive(self, data: bytes, now_ns: int) -> list[Rows]:
        return self.blocks(self._rows(data), now_ns)

    def _rows(self, data: bytes) -> Iterator[Row]:
        held, at = self._held + data, 0
        while (start := held.find(self._sync, at)) >= 0 and start + self._bytes <= len(held):
            self._stray(start - at)
            frame = held[start : start + self._bytes]
            values = self._values(frame)
            if values is None:  # the sync bytes may stand within a frame: look for them again right behind
                at = start + 1
                continue
            at = start + self._bytes
            if self._follows(values):
                yield self._row(values)
        end = start if start >= 0 else max(at, len(held) - len(self._sync) + 1)
        self._stray(end - at)
        self._held = held[end:]

    def _stray(self, count: int) -> None:
        if count:
            self.bad["byte between frames"] += count

    def _values(self, frame: bytes) -> tuple[float, ...] | None:
        body = frame[len(self._sync) : len(frame) - self._sum_bytes]
        over = body if self._options.checksum_over == "struct" else self._sync + body
        found = frame[len(frame) - self._sum_bytes :]
        if self._sum(over).to_bytes(self._sum_bytes, self._options.checksum_order) != found:
            self._wrong("frame with a wrong checksum")
            return None
        values = tuple(map(float, self._layout.unpack(body)))
        if any(map(math.isinf, values)):
            self._wrong("frame with an infinite number")
            return None
        return values

    def _wrong(self, kind: str) -> None:
        self.bad[kind] += 1
        self._gap = True
        if self._counter is None:
            self._lose(1)

    def _follows(self, values: tuple[float, ...]) -> bool:
        """Counts what the counter says is missing; False for a frame that came twice."""
        if self._counter is None:
            return True
        number = int(values[self._counter])
        step = (number - self._last) % self._modulus if self._last >= 0 else 1
        self._last = number
        if step > 1:
            self._gap = True
            self._lose(step - 1)
        return step > 0

    def _lose(self, rows: int) -> None:
        for _, channel in self._wanted:
            self.lost[channel.name] += rows

    def _row(self, values: tuple[float, ...]) -> Row:
        gap, self._gap = self._gap, False
        scaled = tuple(values[i] * c.scale + c.offset for i, c in self._wanted)
        return tuple(c.name for _, c in self._wanted), scaled, gap


def _sync(written: str) -> bytes:
    try:
        sync = bytes.fromhex(written)
    except ValueError:
        sync = b""
    if not 1 <= len(sync) <= 16:
        raise InputError(f'sync: expected 1 to 16 bytes in hexadecimal, such as "AA 55", found {written!r}')
    return sync


def _layout(options: Struct.Options) -> struct.Struct:
    written = options.layout
    if written[:1] not in ("<", ">", "!"):
        raise InputError(f'layout: expected a byte order first, "<" (little) or ">" (big), found {written!r}')
    try:
        layout = struct.Struct(written)
        values = layout.unpack(bytes(layout.size))
    except (struct.error, MemoryError) as error:
        raise InputError(
            f'layout: expected a struct format such as "<hhhI", found {written!r}: {error}'
        ) from None
    if not 0 < layout.size <= _LONGEST or not all(isinstance(v, int | float) for v in values):
        raise InputError(f"layout: expected numbers, at most {_LONGEST} bytes of them, found {written!r}")
    if len(values) != len(options.channels):
        raise InputError(
            f"channels: expected one for each of the {len(values)} numbers of layout {written!r} "
            f'("_" for those that nobody wants), found {len(options.channels)}'
        )
    return layout


def _counter(options: Struct.Options, channels: tuple[Channel, ...]) -> tuple[int | None, int]:
    """Where the counter of frames stands, and where it wraps."""
    if not options.counter:
        return None, 1
    names = [c.name for c in channels]
    if options.counter not in names:
        raise InputError(
            f"counter: expected one of the channels ({', '.join(names)}), found {options.counter!r}"
        )
    index = names.index(options.counter)
    codes = _codes(options.layout)
    if codes[index] not in "BHIL":
        raise InputError(
            f"counter: expected an unsigned whole number in layout (B, H or I), found {codes[index]!r}"
        )
    return index, 1 << 8 * struct.calcsize("<" + codes[index])


def _codes(layout: str) -> str:
    """One letter for each number: "<2hI" is "hhI"."""
    codes, times = "", ""
    for letter in layout[1:]:
        if letter.isdigit():
            times += letter
        elif letter != "x" and not letter.isspace():
            codes, times = codes + letter * int(times or 1), ""
        else:
            times = ""
    return codes
