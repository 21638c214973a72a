"""What flashing says on the wire: HELLO, COMMAND and BOOT_* of docs/firmware.md, one request at a time over a port."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeVar

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m
from firmware_bridge.errors import MalformedError, PortBusyError, PortError
from firmware_bridge.flash import errors
from firmware_bridge.flash.errors import FlashError
from firmware_bridge.flash.running import Hello, Running
from firmware_bridge.framing import VERSION, Deframer, Frame
from firmware_bridge.link import OtherVersion
from firmware_bridge.port import Port, Setting

_REPEAT_S: Final = {boot.BootErase.type: 2.5, boot.BootCheck.type: 2.5}  # docs/firmware.md, "Order"
_REPEAT_OTHERS_S: Final = 0.2
_TRIES, _TRIES_SLOW = 8, 3
_ids = count(int.from_bytes(os.urandom(2), "little"))
_Reply = TypeVar("_Reply", bound=m.Message)


class Wire:
    """An open port with one node at its other end; use `opened`."""

    def __init__(self, port: Port) -> None:
        self.port, self._port = port.name, port
        self._frames, self._sequence = Deframer(), 0

    def ask(self, request: m.Message, reply: type[_Reply]) -> _Reply:
        """The answer of class `reply`; repeats the request, which every node may hear twice.

        Raises:
            NoAnswerError: no answer, or NAK.
            FlashError: the port went away.
        """
        self._sequence = self._sequence % 255 + 1  # 0 is what a node says unasked
        for _ in range(_TRIES_SLOW if request.type in _REPEAT_S else _TRIES):
            self._send(b"\0" + m.frame(request, self._sequence))
            answer = self._reply(reply.type, _REPEAT_S.get(request.type, _REPEAT_OTHERS_S))
            if isinstance(answer, reply):
                return answer
            if isinstance(answer, m.Nak):
                raise errors.NoAnswerError(
                    f"{self.port}: the node does not take request {request.type:#04x} (NAK {answer.reason})"
                )
        raise errors.NoAnswerError(f"{self.port}: no answer to request {request.type:#04x}: is the cable in?")

    def hello(self, timeout_s: float) -> Running | None:
        """Asks every 200 ms until a node answers or the time is up.

        Raises:
            FlashError: the port went away, or the node speaks only other versions of the protocol.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            self._sequence = self._sequence % 255 + 1
            self._send(b"\0" + m.frame(m.HelloRequest(), self._sequence))
            answer = self._reply(m.Hello.type, _REPEAT_OTHERS_S)
            if isinstance(answer, m.Hello):
                return running(answer)
        return None

    def command(self, order: m.Order, arguments: bytes = b"") -> int:
        """The node's result; 0 is done."""
        return self.ask(m.Command(next(_ids) & 0xFFFF, order, arguments), m.Ack).result

    def end_line(self) -> None:
        """What was asked so far is not the beginning of a line for a node that reads lines (SMP, a console)."""
        self._send(b"\n")

    def _send(self, raw: bytes) -> None:
        with _told():
            self._port.write(raw)

    def _reply(self, kind: int, within_s: float) -> m.Message | None:
        """The answer to the open request, of type `kind` or a NAK."""
        end = time.monotonic() + within_s
        while (left := end - time.monotonic()) > 0:
            with _told():
                raw = self._port.read(left)
            for frame in self._frames.feed(raw):
                if not isinstance(frame, Frame) or frame.sequence != self._sequence:
                    continue
                if frame.type in {kind, m.Nak.type}:
                    return self._parse(frame)
        return None

    def _parse(self, frame: Frame) -> m.Message | None:
        if frame.type == m.Hello.type and len(frame.body) >= 2:
            oldest, newest = frame.body[:2]
            if not oldest <= VERSION <= newest:
                raise FlashError(f"{self.port}: {OtherVersion(oldest, newest)}")
        try:
            return m.parse(frame)
        except MalformedError:
            return None


@contextlib.contextmanager
def opened(port: str, baud: int, *, dtr: bool = True, rts: bool = True) -> Iterator[Wire]:
    """Raises FlashError when `port` cannot be opened; `dtr` and `rts` are how these lines are held meanwhile."""
    with _told():
        line = Port(port, Setting(baud, dtr=dtr, rts=rts))
    with contextlib.closing(line):
        yield Wire(line)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except PortBusyError as error:
        raise errors.PortBusyError(str(error)) from error
    except PortError as error:
        raise FlashError(str(error)) from error


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


def running(hello: m.Hello) -> Running:
    """What a HELLO says that runs there."""
    return Running(
        hello.board,
        hello.name,
        hello.version,
        hello.image_length,
        hello.image_crc32,
        hello.build,
        bootloader=hello.bootloader,
        confirmed=hello.confirmed,
        boot=hello.boot_id,
    )
