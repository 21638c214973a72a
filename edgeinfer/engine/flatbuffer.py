"""Reads a flatbuffer without ever leaving its bytes: every offset, length and count is checked before it is used.

Source of the layout: the FlatBuffers documentation, "Internals" (tables, vtables, vectors, all little endian).
It knows no schema; bounds.py does.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_VISITS_MAX = 2_000_000
"""Offsets may point at the same place many times: a small file could else keep us busy for hours."""


class Damaged(ValueError):  # noqa: N818  the word of the field
    """An offset, length or number that leads out of the file; the text says which."""


class Reader:
    """The bytes of one file, and how often it was asked."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.size, self._visits = data, len(data), 0

    def number(self, form: str, at: int, what: str) -> int:
        """A little-endian integer, `form` as struct names it."""
        if not 0 <= at <= self.size - struct.calcsize(form):
            raise Damaged(f"{what} should stand at byte {at}, and the file has {self.size}")
        return int(struct.unpack_from(f"<{form}", self.data, at)[0])

    def table(self, at: int, what: str) -> Table:
        self._visits += 1
        if self._visits > _VISITS_MAX:
            raise Damaged(f"{what}: over {_VISITS_MAX:,} tables, more than any model has")
        vtable = at - self.number("i", at, what)
        length, inline = (
            self.number("H", vtable, f"{what}'s vtable"),
            self.number("H", vtable + 2, f"{what}'s vtable"),
        )
        if length < 4 or length % 2 or vtable + length > self.size:
            raise Damaged(f"{what}'s vtable is {length} bytes long")
        if inline < 4 or at + inline > self.size:
            raise Damaged(f"{what} is {inline} bytes long and leaves the file")
        return Table(self, at, vtable, length, inline, what)


@dataclass(frozen=True, slots=True)
class Table:
    """One table whose own extent was found inside of the file."""

    reader: Reader
    at: int
    vtable: int
    length: int
    inline: int
    what: str

    def _field(self, slot: int, size: int) -> int:
        """Where the field stands; 0 when it is absent."""
        entry = 4 + 2 * slot
        if entry + 2 > self.length:
            return 0
        offset = self.reader.number("H", self.vtable + entry, self.what)
        if offset and offset + size > self.inline:
            raise Damaged(f"{self.what}: field {slot} stands outside of its table")
        return self.at + offset if offset else 0

    def scalar(self, slot: int, form: str, default: int = 0) -> int:
        at = self._field(slot, struct.calcsize(form))
        return self.reader.number(form, at, self.what) if at else default

    def _pointed(self, slot: int) -> int:
        at = self._field(slot, 4)
        return at + self.reader.number("I", at, self.what) if at else 0

    def child(self, slot: int, what: str) -> Table | None:
        at = self._pointed(slot)
        return self.reader.table(at, what) if at else None

    def span(self, slot: int, item: int, what: str) -> tuple[int, int]:
        """Where a vector's items of `item` bytes begin, and how many; (0, 0) when it is absent."""
        at = self._pointed(slot)
        if not at:
            return 0, 0
        count = self.reader.number("I", at, what)
        if at + 4 + count * item > self.reader.size:
            raise Damaged(
                f"{what} has {count} items of {item} bytes from byte {at}, and the file has {self.reader.size}"
            )
        return at + 4, count

    def integers(self, slot: int, form: str, what: str) -> tuple[int, ...]:
        at, count = self.span(slot, struct.calcsize(form), what)
        return struct.unpack_from(f"<{count}{form}", self.reader.data, at) if count else ()

    def text(self, slot: int, what: str) -> str:
        at, count = self.span(slot, 1, what)
        return bytes(self.reader.data[at : at + count]).decode(errors="replace")

    def children(self, slot: int, what: str) -> list[Table]:
        at, count = self.span(slot, 4, what)
        places = [(i, at + 4 * i) for i in range(count)]
        return [
            self.reader.table(place + self.reader.number("I", place, what), f"{what} {i}")
            for i, place in places
        ]
