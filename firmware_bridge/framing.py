"""Frames on the wire: COBS, CRC-32, header; bytes in, frames out. Knows nothing of what a body means.

Specified in docs/firmware.md, "Frame". Nothing here loops over bytes: big reads are split on the delimiter, and
runs are moved as slices; the C package `cobs` takes over decoding where it is installed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final, Literal, NamedTuple

VERSION: Final = 1
POINT_TO_POINT: Final = 0  # node address
OVERHEAD: Final = 8  # header 4, CRC 4
MAX_FRAME: Final = 512  # decoded, overhead included; what a node says in HELLO may be less
SMALL_FRAME: Final = 64  # what every node can take
LONGEST: Final = 4096  # what a host takes; a node that asks for more is broken
_RESIDUE: Final = 0x2144DF1C  # zlib.crc32 over a frame and its own little-endian CRC is always this


class Frame(NamedTuple):
    """One frame whose CRC is right; a tuple, because 20,000 come in a second. `body` is up to max - 8 bytes."""

    version: int
    node: int
    type: int
    sequence: int
    body: bytes


class Fault(NamedTuple):
    """What stood between two delimiters and is no frame, and how many bytes it was on the wire."""

    why: Literal["crc", "length", "cobs"]
    size: int


def stuff(data: bytes) -> bytes:
    """COBS without the delimiter; never contains a zero."""
    runs = data.split(b"\0")
    last = len(runs) - 1
    return b"".join(_stuffed(run, last=n == last) for n, run in enumerate(runs))


def _stuffed(run: bytes, *, last: bool) -> bytes:
    """One run without zeros, in blocks of at most 254; a full block stands for no zero, so one has to be added."""
    full, rest = divmod(len(run), 254)
    blocks = b"".join(b"\xff" + run[n * 254 : n * 254 + 254] for n in range(full))
    if full and not rest and last:
        return blocks
    return blocks + bytes([rest + 1]) + run[full * 254 :]


def unstuff(data: bytes) -> bytes:
    """The inverse, in Python; `data` has no delimiter.

    Raises:
        ValueError: it is no COBS (a zero, or a block that ends beyond the end).
    """
    out, at, end = bytearray(data), 0, len(data)
    full: list[int] = []  # where a block follows that stands for no zero
    while at < end:
        code = out[at]
        if not code:
            break
        out[at] = 0
        at += code
        if code == 255:
            full.append(at)
    if at != end or 0 in data:
        raise ValueError("no COBS")
    for place in reversed(full):
        del out[place : place + 1]
    return bytes(out[1:])


def _fastest() -> Callable[[bytes], bytes]:
    try:
        from cobs import cobs  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        return unstuff

    def decode(data: bytes) -> bytes:
        try:
            out: bytes = cobs.decode(data)
        except cobs.DecodeError as error:
            raise ValueError("no COBS") from error
        return out

    return decode


def wrap(frame: Frame) -> bytes:
    """The bytes that go out for `frame`, CRC and delimiter included."""
    head = bytes((frame.version, frame.node, frame.type, frame.sequence)) + frame.body
    return stuff(head + zlib.crc32(head).to_bytes(4, "little")) + b"\0"


def on_wire(size: int) -> int:
    """The most bytes that a decoded frame of `size` takes on the wire."""
    return size + size // 254 + 2


class Deframer:
    """A stream of bytes, in whatever pieces, to frames; keeps no more than one frame of `longest` bytes."""

    def __init__(self, longest: int = LONGEST, decode: Callable[[bytes], bytes] | None = None) -> None:
        self._most = on_wire(longest) - 1
        self._decode = decode or _fastest()
        self._rest = b""

    def feed(self, data: bytes) -> list[Frame | Fault]:
        """What `data` completed, in order; never raises."""
        *whole, rest = (self._rest + data).split(b"\0")
        self._rest = rest[: self._most + 1]  # one too many: it is still too long when its end comes
        return [self._open(part) for part in whole if part]

    def forget(self) -> bool:
        """What came of an unfinished frame is dropped; whether there was any."""
        half, self._rest = bool(self._rest), b""
        return half

    def _open(self, part: bytes) -> Frame | Fault:
        if len(part) > self._most:
            return Fault("length", len(part) + 1)
        try:
            raw = self._decode(part)
        except ValueError:
            return Fault("cobs", len(part) + 1)
        if len(raw) < OVERHEAD:
            return Fault("length", len(part) + 1)
        if zlib.crc32(raw) != _RESIDUE:
            return Fault("crc", len(part) + 1)
        return Frame(raw[0], raw[1], raw[2], raw[3], raw[4:-4])
