"""Reads what an ELF file would put into flash: its loadable segments at their load addresses; pure.

Format: Tool Interface Standard, ELF specification 1.2, and its 64-bit twin (System V gABI, chapter 5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.image import Image, join

_PT_LOAD = 1
_AVR_DATA = 0x80_0000  # avr-gcc's convention: RAM from here, EEPROM, fuses and signature above it
_EM_AVR = 83
_NOT_FOR_FLASH = {  # e_machine
    3: "a program for a PC (x86)",
    62: "a program for a PC (x86-64)",
    183: "a program for a 64-bit ARM computer",
    94: "an ELF of an Espressif chip (Xtensa), which its flash does not hold as it is: take flasher_args.json",
}


def read_elf(raw: bytes, where: str) -> Image:
    """The image of an executable; segments that load into RAM, EEPROM or fuses of an AVR are left out.

    Raises:
        PackageError: not an ELF file, cut off, or nothing in it is loadable.
    """
    try:
        return join(_segments(raw, where), where)
    except struct.error as error:
        raise PackageError(f"{where}: the ELF file is cut off ({error}); build or copy it again") from error


def _segments(raw: bytes, where: str) -> Iterator[Image]:
    if raw[:4] != b"\x7fELF" or len(raw) < 6 or raw[4] not in {1, 2} or raw[5] not in {1, 2}:
        raise PackageError(f"{where}: expected an ELF file, found {raw[:4]!r} at its beginning")
    wide, order = raw[4] == 2, "<" if raw[5] == 1 else ">"
    (machine,) = struct.unpack_from(order + "H", raw, 18)
    if machine in _NOT_FOR_FLASH:
        raise PackageError(
            f"{where}: expected firmware of a microcontroller, found {_NOT_FOR_FLASH[machine]}"
        )
    (table,) = struct.unpack_from(order + ("Q" if wide else "I"), raw, 32 if wide else 28)
    size, count = struct.unpack_from(order + "HH", raw, 54 if wide else 42)
    for n in range(count):
        kind, offset, address, length = _header(raw, table + n * size, order, wide=wide)
        if kind != _PT_LOAD or not length or (machine == _EM_AVR and address >= _AVR_DATA):
            continue
        if offset + length > len(raw):
            raise PackageError(f"{where}: the ELF file is cut off: segment {n} ends behind the file")
        yield Image(address, raw[offset : offset + length])


def _header(raw: bytes, at: int, order: str, *, wide: bool) -> tuple[int, int, int, int]:
    """(type, file offset, physical address, size in the file) of one program header."""
    if wide:
        kind, _, offset, _, address, length = struct.unpack_from(order + "IIQQQQ", raw, at)
    else:
        kind, offset, _, address, length = struct.unpack_from(order + "IIIII", raw, at)
    return kind, offset, address, length
