"""What the bodies of frames mean: one frozen class a message, packed and parsed by one table of layouts; pure.

Specified field by field in docs/firmware.md, "Messages". Types below 0x80 go to the node, the others come from it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import isfinite
from typing import Final

from firmware_bridge import boot_messages
from firmware_bridge.framing import POINT_TO_POINT, SMALL_FRAME, VERSION, Frame, wrap
from firmware_bridge.message import Message as Message  # noqa: PLC0414  part of what users of messages name
from firmware_bridge.message import parse_as

MAGIC: Final = 0xB007106D  # without it nothing enters the bootloader


@dataclass(frozen=True, slots=True)
class HelloRequest(Message):
    type = 0x01
    layout = struct.Struct("<BB")
    oldest: int = VERSION
    newest: int = VERSION


class Flag(IntEnum):
    """Bits of HELLO's `flags`."""

    BOOTLOADER = 1
    CONFIRMED = 2
    STREAMING = 4
    POLLED = 8


@dataclass(frozen=True, slots=True)
class Hello(Message):
    """Who is there. `image_length` and `image_crc32` were computed by the MCU over its flash; 0 and 0: it cannot."""

    type = 0x81
    layout = struct.Struct("<BBHIIIIB")
    strings = 4
    oldest: int
    newest: int
    max_frame: int
    boot_id: int
    uptime_ms: int
    image_length: int
    image_crc32: int
    flags: int
    board: str
    name: str
    version: str
    build: str

    def wrong(self) -> str:
        if self.max_frame < SMALL_FRAME:
            return f"frames of {self.max_frame} bytes; every node has to take {SMALL_FRAME}"
        return ""

    @property
    def bootloader(self) -> bool:
        return bool(self.flags & Flag.BOOTLOADER)

    @property
    def confirmed(self) -> bool:
        return bool(self.flags & Flag.CONFIRMED)


@dataclass(frozen=True, slots=True)
class DescribeRequest(Message):
    type = 0x02
    layout = struct.Struct("<B")
    index: int


FORMATS: Final[Mapping[int, str]] = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f"}
"""Channel types to codes of `struct`; with "<" before it, numpy knows them too."""


@dataclass(frozen=True, slots=True)
class Channel(Message):
    """One channel: value = raw * scale + offset in `unit`. `rate_mhz` is millihertz, 0: irregular."""

    type = 0x82
    layout = struct.Struct("<BBBBffI")
    strings = 2
    index: int
    total: int
    block: int
    kind: int
    scale: float
    offset: float
    rate_mhz: int
    name: str
    unit: str

    def wrong(self) -> str:
        if not self.total:
            return ""  # there are no channels, and the rest is zeros
        if self.kind not in FORMATS:
            return f"channel {self.index} has the type {self.kind}; types are 1 to {max(FORMATS)}"
        if not (isfinite(self.scale) and isfinite(self.offset)):
            return f"channel {self.index} has the scale {self.scale} and the offset {self.offset}"
        return ""

    @property
    def format(self) -> str:
        """A code of `struct`, one of FORMATS."""
        return FORMATS[self.kind]


@dataclass(frozen=True, slots=True)
class Poll(Message):
    type = 0x03


@dataclass(frozen=True, slots=True)
class Readings(Message):
    """A block: `values` is all rows of all channels of its block, packed; `time_us` is MCU time of the first row."""

    type = 0x83
    layout = struct.Struct("<BIIH")
    block: int
    number: int
    time_us: int
    rows: int
    values: bytes

    def wrong(self) -> str:
        return "" if self.rows else f"block {self.block}, number {self.number} has no row"


@dataclass(frozen=True, slots=True)
class StatusRequest(Message):
    type = 0x04


@dataclass(frozen=True, slots=True)
class Status(Message):
    """The node's error counters since its start."""

    type = 0x84
    layout = struct.Struct("<6I")
    crc_errors: int
    length_errors: int
    overruns: int
    ring_overflows: int
    tx_dropped: int
    repeats: int


class Order(IntEnum):
    """What a COMMAND may say; from 128 on they are the application's own."""

    START = 1
    STOP = 2
    SET_RATE = 3
    REBOOT = 4
    ENTER_BOOTLOADER = 5
    CONFIRM_IMAGE = 6


class Result(IntEnum):
    DONE = 0
    UNKNOWN = 1
    BAD_ARGUMENT = 2
    NOT_NOW = 3
    FAILED = 4
    MISMATCH = 5


@dataclass(frozen=True, slots=True)
class Command(Message):
    type = 0x05
    layout = struct.Struct("<HB")
    id: int
    order: int
    arguments: bytes = b""


def rate_arguments(block: int, rate_mhz: int) -> bytes:
    """For SET_RATE."""
    return struct.pack("<BI", block, rate_mhz)


def magic_arguments() -> bytes:
    """For ENTER_BOOTLOADER."""
    return struct.pack("<I", MAGIC)


@dataclass(frozen=True, slots=True)
class Ack(Message):
    type = 0x85
    layout = struct.Struct("<HBB")
    id: int
    order: int
    result: int


@dataclass(frozen=True, slots=True)
class Log(Message):
    """`level` is Python's divided by 10."""

    type = 0x86
    layout = struct.Struct("<B")
    strings = 1
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class TimeRequest(Message):
    type = 0x07
    layout = struct.Struct("<I")
    token: int


@dataclass(frozen=True, slots=True)
class Time(Message):
    """MCU time at which the request came in and at which this reply went out."""

    type = 0x87
    layout = struct.Struct("<III")
    token: int
    received_us: int
    sent_us: int


class Reason(IntEnum):
    """Why a NAK."""

    UNKNOWN_TYPE = 1
    MALFORMED = 2
    VERSION = 3
    NOTHING_WAITING = 4
    TOO_LONG = 5


@dataclass(frozen=True, slots=True)
class Nak(Message):
    type = 0xFF
    layout = struct.Struct("<BB")
    refused: int
    reason: int


@dataclass(frozen=True, slots=True)
class Unknown(Message):
    """A message of a later revision: its type and body as they came."""

    type = -1
    of_type: int
    content: bytes


FROM_NODE: Final[Mapping[int, type[Message]]] = {
    cls.type: cls for cls in (Hello, Channel, Readings, Status, Ack, Log, Time, Nak)
}
TO_NODE: Final[Mapping[int, type[Message]]] = {
    cls.type: cls for cls in (HelloRequest, DescribeRequest, Poll, StatusRequest, Command, TimeRequest)
}


_ALL: Final[Mapping[int, type[Message]]] = {**FROM_NODE, **TO_NODE, **boot_messages.ALL}


def parse(frame: Frame) -> Message:
    """The message in a frame of our version; Unknown for a type that we do not know. Raises MalformedError."""
    cls = _ALL.get(frame.type)
    return parse_as(cls, frame.body) if cls else Unknown(frame.type, frame.body)


def frame(message: Message, sequence: int, node: int = POINT_TO_POINT) -> bytes:
    """The bytes on the wire for `message`."""
    return wrap(Frame(VERSION, node, message.type, sequence & 0xFF, message.body()))
