"""The messages of our own A/B bootloader; pure. Specified in docs/firmware.md, "Bootloader"."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from firmware_bridge.message import Message

NO_SLOT: Final = 255


class SlotState(IntEnum):
    EMPTY = 0
    CONFIRMED = 1
    UNCONFIRMED = 2
    DAMAGED = 3
    ROLLED_BACK = 4


@dataclass(frozen=True, slots=True)
class BootInfoRequest(Message):
    type = 0x10
    layout = struct.Struct("<B")
    slot: int


@dataclass(frozen=True, slots=True)
class BootInfo(Message):
    """One slot; `base` is its address, `page` the smallest part that can be erased, all in bytes."""

    type = 0x90
    layout = struct.Struct("<BBBBBIIIHII")
    result: int
    slot: int
    slots: int
    active: int
    state: int
    base: int
    size: int
    page: int
    write_max: int
    length: int
    crc32: int


@dataclass(frozen=True, slots=True)
class BootErase(Message):
    type = 0x11
    layout = struct.Struct("<BII")
    slot: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class BootErased(Message):
    type = 0x91
    layout = struct.Struct("<BBII")
    result: int
    slot: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class BootWrite(Message):
    type = 0x12
    layout = struct.Struct("<BI")
    slot: int
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class BootWritten(Message):
    type = 0x92
    layout = struct.Struct("<BBIH")
    result: int
    slot: int
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class BootCheck(Message):
    type = 0x13
    layout = struct.Struct("<BII")
    slot: int
    length: int
    crc32: int


@dataclass(frozen=True, slots=True)
class BootChecked(Message):
    type = 0x93
    layout = struct.Struct("<BBII")
    result: int
    slot: int
    length: int
    crc32: int


@dataclass(frozen=True, slots=True)
class BootRun(Message):
    type = 0x14
    layout = struct.Struct("<B")
    slot: int


@dataclass(frozen=True, slots=True)
class BootRuns(Message):
    type = 0x94
    layout = struct.Struct("<BB")
    result: int
    slot: int


ALL: Final[Mapping[int, type[Message]]] = {
    cls.type: cls
    for cls in (
        BootInfoRequest,
        BootInfo,
        BootErase,
        BootErased,
        BootWrite,
        BootWritten,
        BootCheck,
        BootChecked,
        BootRun,
        BootRuns,
    )
}
