"""Checksums that devices in the field put behind their frames; each takes bytes and gives a number."""

from __future__ import annotations

import binascii
import zlib
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Literal

Checksum = Literal[
    "none",
    "sum8",
    "xor8",
    "crc16-modbus",
    "crc16-ccitt",
    "crc16-xmodem",
    "crc16-arc",
    "crc16-kermit",
    "crc32",
]


def _reflected(poly: int, start: int) -> Callable[[bytes], int]:
    """A CRC-16 that shifts right, by a table; names and figures from the catalogue of parametrised CRCs (Cook)."""
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (poly if value & 1 else 0)
        table.append(value)

    def crc(data: bytes) -> int:
        value = start
        for byte in data:
            value = (value >> 8) ^ table[(value ^ byte) & 0xFF]
        return value

    return crc


def checksum(kind: Checksum) -> tuple[int, Callable[[bytes], int]]:
    """Bytes that it takes on the wire, and the function."""
    if kind == "crc16-ccitt":  # CRC-16/IBM-3740, often called CCITT-FALSE
        return 2, lambda data: binascii.crc_hqx(data, 0xFFFF)
    if kind == "crc16-xmodem":
        return 2, lambda data: binascii.crc_hqx(data, 0)
    if kind in _REFLECTED:
        return 2, _reflected(*_REFLECTED[kind])
    return _SIMPLE[kind]


_REFLECTED = {
    "crc16-modbus": (0xA001, 0xFFFF),
    "crc16-arc": (0xA001, 0),
    "crc16-kermit": (0x8408, 0),
}
_SIMPLE: dict[str, tuple[int, Callable[[bytes], int]]] = {
    "none": (0, lambda _: 0),
    "sum8": (1, lambda data: sum(data) & 0xFF),
    "xor8": (1, lambda data: reduce(xor, data, 0)),
    "crc32": (4, zlib.crc32),
}
