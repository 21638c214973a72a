"""What a bootloader with two slots remembers in flash about each: the twin of c/examples/bootloader-ab/slots.c.

`magic` is written last. The marks go from all ones to zero, which flash can do without an erase.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final, NamedTuple

from firmware_bridge.boot_messages import NO_SLOT, SlotState
from firmware_bridge.simulator.nor import Nor

SLOTS: Final = 2
_MAGIC: Final = 0x51075107
_ERASED: Final = 0xFFFFFFFF
_RECORD: Final = struct.Struct("<7I")


class Layout(NamedTuple):
    """Where things lie; the addresses of the micro:bit's example, slots.h."""

    flash: int = 0x40000
    page: int = 1024
    base: int = 0x4000
    size: int = 0x18000

    def start(self, slot: int) -> int:
        return self.base + slot * self.size

    def record(self, slot: int) -> int:
        return self.base + SLOTS * self.size + slot * self.page


class Record(NamedTuple):
    """One page for each slot, in this order; `_ERASED` in a mark is "not yet"."""

    length: int
    crc32: int
    order: int
    started: int
    confirmed: int
    rolled_back: int
    magic: int


class Slots:
    """The slots' states, read from flash at every question."""

    def __init__(self, flash: Nor, layout: Layout) -> None:
        self.flash, self.layout = flash, layout

    def recorded(self, slot: int) -> Record | None:
        record = Record(*_RECORD.unpack(self.flash.read(self.layout.record(slot), _RECORD.size)))
        return record if record.magic == _MAGIC and record.length <= self.layout.size else None

    def image(self, slot: int, length: int) -> bytes:
        return self.flash.read(self.layout.start(slot), length)

    def state(self, slot: int) -> SlotState:
        record = self.recorded(slot)
        if record is None:
            blank = not self.image(slot, self.layout.size).strip(b"\xff")
            return SlotState.EMPTY if blank else SlotState.DAMAGED
        if zlib.crc32(self.image(slot, record.length)) != record.crc32:
            return SlotState.DAMAGED
        if not record.rolled_back:
            return SlotState.ROLLED_BACK
        return SlotState.UNCONFIRMED if record.confirmed else SlotState.CONFIRMED

    def active(self) -> int:
        """The newest that may start; NO_SLOT: none."""
        fit = {SlotState.CONFIRMED, SlotState.UNCONFIRMED}
        found = [(r.order, n) for n in range(SLOTS) if self.state(n) in fit and (r := self.recorded(n))]
        return max(found, key=lambda one: one[0])[1] if found else NO_SLOT

    def mark(self, slot: int, field: str) -> bool:
        """Sets one mark of a record: `started`, `confirmed` or `rolled_back`."""
        if self.recorded(slot) is None:
            return False
        at = self.layout.record(slot) + 4 * Record._fields.index(field)
        return self.flash.program(at, bytes(4))

    def forget(self, slot: int) -> None:
        page = self.layout.record(slot)
        if self.flash.read(page, self.layout.page).strip(b"\xff"):
            self.flash.erase(page)

    def remember(self, slot: int, length: int, crc32: int, *, confirmed: bool) -> bool:
        """As the newest."""
        other = self.recorded(1 - slot)
        mark = 0 if confirmed else _ERASED
        record = Record(length, crc32, other.order + 1 if other else 0, mark, mark, _ERASED, _MAGIC)
        self.flash.erase(self.layout.record(slot))
        return self.flash.program(self.layout.record(slot), _RECORD.pack(*record))
