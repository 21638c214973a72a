"""Tables of a flatbuffer, read with every offset checked; knows no schema.

Source: the FlatBuffers binary format ("FlatBuffer Internals"): little endian, a table begins with the signed
distance to its vtable, a vtable holds the place of each field from the table's beginning, 0 where it is absent.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Buffer = bytes | mmap.mmap
T = TypeVar("T")

_MOST = 100_000
"""No list that we read is longer: a length above is damage, and must not become memory."""


class Damaged(ValueError):  # noqa: N818  says what the buffer is
    """An offset or a length leads out of the buffer."""


def root(data: Buffer) -> Table:
    """The root table; raises Damaged."""
    return Table(data, _read("<I", data, 0))


@dataclass(frozen=True, slots=True)
class Table:
    """One table of `data`, `at` its beginning. Fields are numbered in the order of the schema, from 0.

    An absent field is the default: 0, "", an empty tuple, None for a table. All methods raise Damaged.
    """

    data: Buffer
    at: int

    def integer(self, field: int, kind: str = "i") -> int:
        """A scalar; `kind` as in `struct`: b B h H i I q Q."""
        place = self._place(field)
        return _read(f"<{kind}", self.data, place) if place else 0

    def real(self, field: int) -> float:
        """A float32."""
        bits = self.integer(field, "I")
        return float(struct.unpack("<f", struct.pack("<I", bits))[0])

    def text(self, field: int) -> str:
        place = self._place(field)
        if not place:
            return ""
        start, length = self._list(place, 1)
        return self.data[start : start + length].decode(errors="replace")

    def blob(self, field: int, most: int) -> bytes:
        """A vector of bytes, at most `most` of them."""
        place = self._place(field)
        if not place:
            return b""
        start, length = self._list(place, 1, most)
        return self.data[start : start + length]

    def numbers(self, field: int, kind: str = "f") -> tuple[float, ...]:
        """A vector of scalars."""
        place = self._place(field)
        if not place:
            return ()
        start, length = self._list(place, struct.calcsize(f"<{kind}"))
        return tuple(struct.unpack_from(f"<{length}{kind}", self.data, start))

    def table(self, field: int) -> Table | None:
        place = self._place(field)
        return Table(self.data, self._follow(place)) if place else None

    def tables(self, field: int) -> tuple[Table, ...]:
        """A vector of tables."""
        return self._each(field, lambda place: Table(self.data, self._follow(place)))

    def _each(self, field: int, read: Callable[[int], T]) -> tuple[T, ...]:
        place = self._place(field)
        if not place:
            return ()
        start, length = self._list(place, 4)
        return tuple(read(start + 4 * i) for i in range(length))

    def _place(self, field: int) -> int:
        """Where the field stands; 0 where it is absent."""
        vtable = self.at - _read("<i", self.data, self.at)
        slot = 4 + 2 * field
        if slot + 2 > _read("<H", self.data, vtable):
            return 0
        offset = _read("<H", self.data, vtable + slot)
        return self.at + offset if offset else 0

    def _follow(self, place: int) -> int:
        return place + _read("<I", self.data, place)

    def _list(self, place: int, size: int, most: int = _MOST) -> tuple[int, int]:
        """(first element, length), all of it within the buffer."""
        start = self._follow(place)
        length = _read("<I", self.data, start)
        if length > most or start + 4 + length * size > len(self.data):
            raise Damaged(f"a list of {length} at byte {start} leads out of the buffer")
        return start + 4, length


def _read(kind: str, data: Buffer, at: int) -> int:
    if at < 0:  # struct would count from the end
        raise Damaged(f"an offset leads to byte {at}")
    try:
        return int(struct.unpack_from(kind, data, at)[0])
    except struct.error as error:
        raise Damaged(f"an offset leads to byte {at} of {len(data)}") from error
