"""What flashing says on the wire: HELLO, COMMAND and BOOT_* of docs/firmware.md, one request at a time over a port."""

from __future__ import annotations

import contextlib
import os
import select
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from firmware_bridge.flash.errors import FlashError
from firmware_bridge.flash.running import Hello, Running
from firmware_bridge.framing import VERSION, Deframer, Frame, wrap

HELLO, COMMAND, INFO, ERASE, WRITE, CHECK, RUN = 0x01, 0x05, 0x10, 0x11, 0x12, 0x13, 0x14
REBOOT, ENTER_BOOTLOADER, CONFIRM = 4, 5, 6
MAGIC = struct.pack("<I", 0xB007106D)
_NAK = 0xFF
_REPEAT_S = {ERASE: 2.5, CHECK: 2.5}  # docs/firmware.md, "Order"; 0.2 s for the others
_HEAD = struct.Struct("<BBHIIIIB")
_ids = count(int.from_bytes(os.urandom(2), "little"))


class Wire:
    """An open port; use `opened`."""

    def __init__(self, port: str, descriptor: int) -> None:
        self.port, self._fd = port, descriptor
        self._frames, self._sequence = Deframer(), 0

    def ask(self, kind: int, body: bytes = b"", tries: int = 8) -> bytes:
        """The body of the reply; repeats the request, which every node may hear twice.

        Raises:
            FlashError: no answer, or NAK.
        """
        self._sequence = (self._sequence + 1) & 0xFF
        request = b"\0" + wrap(Frame(VERSION, 0, kind, self._sequence, body))
        for _ in range(tries):
            self._send(request)
            frame = self._reply(kind, _REPEAT_S.get(kind, 0.2))
            if frame is not None and frame.type == kind | 0x80:
                return frame.body
            if frame is not None:
                raise FlashError(
                    f"{self.port}: the node does not take request {kind:#04x} (NAK {frame.body.hex()})"
                )
        raise FlashError(f"{self.port}: no answer to request {kind:#04x}: is the cable in?")

    def hello(self, timeout_s: float) -> Running | None:
        """Asks every 200 ms until a node answers or the time is up."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            with contextlib.suppress(FlashError):
                return running(self.ask(HELLO, bytes((VERSION, VERSION)), tries=1))
        return None

    def command(self, code: int, arguments: bytes = b"") -> int:
        """The node's result; 0 is done."""
        body = struct.pack("<HB", next(_ids) & 0xFFFF, code) + arguments
        return self.ask(COMMAND, body)[3]

    def end_line(self) -> None:
        """What was asked so far is not the beginning of a line for a node that reads lines (SMP, a console)."""
        self._send(b"\n")

    def _send(self, raw: bytes) -> None:
        try:
            os.write(self._fd, raw)
        except OSError as error:
            raise FlashError(f"{self.port}: writing failed: {error.strerror}; is the cable in?") from error

    def _reply(self, kind: int, within_s: float) -> Frame | None:
        end = time.monotonic() + within_s
        while (left := end - time.monotonic()) > 0:
            if not select.select([self._fd], [], [], left)[0]:
                return None
            for frame in self._frames.feed(self._read()):
                if not isinstance(frame, Frame):
                    continue
                if frame.sequence == self._sequence and frame.type in {kind | 0x80, _NAK}:
                    return frame
        return None

    def _read(self) -> bytes:
        try:
            raw = os.read(self._fd, 65_536)
        except OSError as error:
            raise FlashError(f"{self.port}: the port is gone: {error.strerror}; is the cable in?") from error
        if not raw:
            raise FlashError(f"{self.port}: the port is gone; is the cable in?")
        return raw


@contextlib.contextmanager
def opened(port: str, baud: int, *, dtr: bool = True, rts: bool = True) -> Iterator[Wire]:
    """Raises FlashError when `port` cannot be opened; `dtr` and `rts` are how these lines are held meanwhile."""
    import serial

    line: Any = serial.Serial(baudrate=baud, timeout=0, exclusive=True)
    line.port, line.dtr, line.rts = port, dtr, rts
    try:
        line.open()
    except OSError as error:
        raise FlashError(f"{port} cannot be opened: {error}") from error
    with contextlib.closing(line):
        yield Wire(port, line.fileno())


@dataclass(frozen=True, slots=True)
class HelloAt:
    """How a job asks a node who it is; a flasher whose boards hang their reset on DTR or RTS replaces these."""

    baud: int
    dtr: bool = True
    rts: bool = True

    def __call__(self, port: str, timeout_s: float) -> Running | None:
        with opened(port, self.baud, dtr=self.dtr, rts=self.rts) as wire:
            return wire.hello(timeout_s)


def hello_at(baud: int) -> Hello:
    """How a job asks a node at `baud` who it is."""
    return HelloAt(baud)


def running(body: bytes) -> Running:
    """A HELLO reply; raises FlashError when it is malformed."""
    try:
        _, _, _, boot, _, length, crc, flags = _HEAD.unpack_from(body)
        texts, at = [], _HEAD.size
        for _ in range(4):
            end = at + 1 + body[at]
            texts.append(body[at + 1 : end].decode("utf-8", "replace"))
            at = end
    except (struct.error, IndexError) as error:
        raise FlashError(f"a malformed HELLO: {body.hex()}") from error
    board, name, version, build = texts
    return Running(board, name, version, length, crc, build, bool(flags & 1), boot)
