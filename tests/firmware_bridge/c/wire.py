"""The host's side of the protocol in its shortest form, for tests of the C side: independent of the Python link, so that the two cannot be wrong together."""

from __future__ import annotations

import itertools
import os
import select
import struct
import time
import tty
import zlib
from dataclasses import dataclass

HELLO, DESCRIBE, POLL, STATUS, COMMAND, TIME, READINGS, LOG, NAK = 1, 2, 3, 4, 5, 7, 0x83, 0x86, 0xFF
BOOT_INFO, BOOT_ERASE, BOOT_WRITE, BOOT_CHECK, BOOT_RUN = range(0x10, 0x15)


def stuff(raw: bytes) -> bytes:
    out = bytearray()
    for part in raw.split(b"\0"):
        whole, rest = divmod(len(part), 254)
        for n in range(whole):
            out += b"\xff" + part[n * 254 : n * 254 + 254]
        out += bytes((rest + 1,)) + part[whole * 254 :]
    return bytes(out)


def unstuff(line: bytes) -> bytes:
    """Raises ValueError for what is no COBS."""
    out, at = bytearray(), 0
    while at < len(line):
        code = line[at]
        part = line[at + 1 : at + code]
        if len(part) != code - 1:
            raise ValueError("cut short")
        out += part
        at += code
        if code < 255 and at < len(line):
            out.append(0)
    return bytes(out)


def frame(kind: int, sequence: int, body: bytes = b"", node: int = 0, version: int = 1) -> bytes:
    raw = bytes((version, node, kind, sequence)) + body
    return stuff(raw + zlib.crc32(raw).to_bytes(4, "little")) + b"\0"


@dataclass(frozen=True)
class Heard:
    version: int
    node: int
    kind: int
    sequence: int
    body: bytes


def parse(line: bytes) -> Heard | None:
    try:
        raw = unstuff(line)
    except ValueError:
        return None
    if len(raw) < 8 or zlib.crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        return None
    return Heard(*raw[:4], raw[4:-4])


def texts(raw: bytes) -> list[str]:
    found = []
    while raw:
        found.append(raw[1 : 1 + raw[0]].decode())
        raw = raw[1 + raw[0] :]
    return found


@dataclass(frozen=True)
class Hello:
    max_frame: int
    boot_id: int
    uptime_ms: int
    length: int
    crc32: int
    flags: int
    board: str
    name: str
    version: str
    build: str

    @classmethod
    def of(cls, body: bytes) -> Hello:
        *numbers, flags = struct.unpack_from("<HIIIIB", body, 2)
        return cls(*numbers, flags, *texts(body[21:]))


class Talk:
    """A conversation over a port: requests with retries, and whatever comes unasked."""

    def __init__(self, port: str) -> None:
        self._fd = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._fd)
        self._rest, self._sequence, self._id = b"", itertools.count(1), itertools.count(1)
        self.bad = 0
        self.unasked: list[Heard] = []

    def close(self) -> None:
        os.close(self._fd)

    def write(self, raw: bytes) -> None:
        while raw:
            select.select([], [self._fd], [], 1.0)
            raw = raw[os.write(self._fd, raw) :]

    def hear(self, timeout_s: float) -> list[Heard]:
        if not select.select([self._fd], [], [], timeout_s)[0]:
            return []
        *lines, self._rest = (self._rest + os.read(self._fd, 65536)).split(b"\0")
        frames = [parse(line) for line in lines if line]
        self.bad += frames.count(None)
        return [f for f in frames if f is not None]

    def ask(
        self, kind: int, body: bytes = b"", *, timeout_s: float = 10.0, again_s: float = 0.2, **more: int
    ) -> Heard:
        sequence = next(self._sequence) % 256
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            self.write(frame(kind, sequence, body, **more))
            found = self._reply(kind, sequence, min(end, time.monotonic() + again_s))
            if found is not None:
                return found
        raise AssertionError(f"no answer to 0x{kind:02x} within {timeout_s} s; {self.bad} bad frames")

    def _reply(self, kind: int, sequence: int, end: float) -> Heard | None:
        found = None
        while found is None and time.monotonic() < end:
            for heard in self.hear(0.05):
                if (
                    heard.sequence == sequence
                    and heard.kind in (kind | 0x80, NAK)
                    and heard.kind not in (READINGS, LOG)
                ):
                    found = heard
                else:
                    self.unasked.append(heard)
        return found

    def hello(self, timeout_s: float = 10.0) -> Hello:
        return Hello.of(self.ask(HELLO, b"\1\1", timeout_s=timeout_s).body)

    def command(self, command: int, arguments: bytes = b"") -> int:
        ack = self.ask(COMMAND, struct.pack("<HB", next(self._id), command) + arguments)
        return ack.body[3]

    def readings(self, block: int) -> list[tuple[int, int, int, bytes]]:
        """Number, time, rows and values of the blocks that came unasked."""
        found = [h.body for h in self.unasked if h.kind == READINGS and h.body[0] == block]
        return [(*struct.unpack_from("<IIH", b, 1), b[11:]) for b in found]
