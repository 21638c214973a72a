"""What the bodies of frames mean: one frozen class a message, packed and parsed by one table of layouts; pure.

Specified field by field in docs/firmware.md, "Messages". Types below 0x80 go to the node, the others come from it.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, ClassVar, Final, TypeVar

from firmware_bridge.errors import MalformedError
from firmware_bridge.framing import POINT_TO_POINT, VERSION, Frame, wrap

MAGIC: Final = 0xB007106D  # without it nothing enters the bootloader


class Message:
    """A body: fixed fields by `layout`, then its str fields (u8 length + UTF-8), then its bytes field to the end."""

    __slots__ = ()
    type: ClassVar[int]
    layout: ClassVar[struct.Struct] = struct.Struct("<")
    strings: ClassVar[int] = 0

    def body(self) -> bytes:
        values: list[Any] = [getattr(self, field.name) for field in fields(self)]  # type: ignore[arg-type]
        fixed = len(values) - self.strings - isinstance(values[-1] if values else None, bytes)
        return self.layout.pack(*values[:fixed]) + b"".join(map(_tail, values[fixed:]))


def _tail(value: str | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    text = value.encode()
    if len(text) > 255:
        raise ValueError(f"a text has at most 255 bytes of UTF-8, found {len(text)}: {value[:40]!r}…")
    return bytes([len(text)]) + text


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


AnyMessage = TypeVar("AnyMessage", bound=Message)

FROM_NODE: Final[Mapping[int, type[Message]]] = {
    cls.type: cls for cls in (Hello, Channel, Readings, Status, Ack, Log, Time, Nak)
}
TO_NODE: Final[Mapping[int, type[Message]]] = {
    cls.type: cls for cls in (HelloRequest, DescribeRequest, Poll, StatusRequest, Command, TimeRequest)
}


def parse_as(cls: type[AnyMessage], body: bytes) -> AnyMessage:
    """`body` as a message of `cls`; bytes after its known fields are a later revision's and are ignored.

    Raises:
        MalformedError: it is too short, or a text is no UTF-8.
    """
    try:
        values: list[Any] = list(cls.layout.unpack_from(body))
        at = cls.layout.size
        for _ in range(cls.strings):
            end = at + 1 + body[at]
            if end > len(body):
                raise MalformedError(f"{cls.__name__}: a text ends beyond the body")
            values.append(body[at + 1 : end].decode())
            at = end
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise MalformedError(f"{cls.__name__} of {len(body)} bytes: {error}") from error
    if len(values) < len(cls.__match_args__):  # type: ignore[attr-defined]
        values.append(body[at:])
    return cls(*values)


def parse(frame: Frame) -> Message:
    """The message in a frame of our version; Unknown for a type that we do not know. Raises MalformedError."""
    cls = FROM_NODE.get(frame.type) or TO_NODE.get(frame.type)
    if cls is None:
        from firmware_bridge import boot_messages

        cls = boot_messages.ALL.get(frame.type)
    return parse_as(cls, frame.body) if cls else Unknown(frame.type, frame.body)


def frame(message: Message, sequence: int, node: int = POINT_TO_POINT) -> bytes:
    """The bytes on the wire for `message`."""
    return wrap(Frame(VERSION, node, message.type, sequence & 0xFF, message.body()))
