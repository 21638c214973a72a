"""One node as docs/firmware.md specifies it: bytes and host times in, bytes out; opens nothing, asks no clock."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, field
from typing import Final, Literal

from firmware_bridge import messages as m
from firmware_bridge.errors import MalformedError
from firmware_bridge.framing import MAX_FRAME, OVERHEAD, VERSION, Deframer, Fault, Frame, wrap
from firmware_bridge.simulator.stream import Running, Stream

_WAITING: Final = 64  # messages that a polled node keeps; then the oldest goes, as on a small MCU
_NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Firmware:
    """What runs on a node. `image` are its bytes in flash: HELLO tells their length and CRC."""

    name: str
    version: str
    board: str = "simulated"
    build: str = ""
    image: bytes = b"\xa5" * 1024


@dataclass(slots=True)
class Counters:
    """What STATUS tells; see there."""

    crc_errors: int = 0
    length_errors: int = 0
    overruns: int = 0
    ring_overflows: int = 0
    tx_dropped: int = 0
    repeats: int = 0


Wish = Literal["", "reboot", "bootloader"]


@dataclass(slots=True)
class Node:
    """A node with power. The shell calls `receive` and `advance`, and writes `outgoing()`.

    `ppm` is how much faster than the host its quartz runs, `first_us` where its counter stood at the start.
    `wish` is what the last command asked of whoever runs this firmware: a bootloader, or nothing but a restart.
    `silent` is a firmware that hangs: it takes bytes and says nothing.
    """

    firmware: Firmware
    streams: Sequence[Stream] = ()
    address: int = 0
    ppm: float = 0.0
    first_us: int = 0
    boot_id: int = 1
    versions: tuple[int, int] = (VERSION, VERSION)
    max_frame: int = MAX_FRAME
    confirmed: bool = True
    has_bootloader: bool = False
    silent: bool = False
    wish: Wish = ""
    streaming: bool = False
    counters: Counters = field(default_factory=Counters)
    _born_ns: int = -1
    _now_ns: int = 0
    _last_command: tuple[int, m.Ack] | None = None
    _last_poll: tuple[int, m.Message] | None = None  # None where another request came after it
    _out: bytearray = field(default_factory=bytearray)
    _waiting: deque[m.Message] = field(default_factory=deque)
    _running: list[Running] = field(default_factory=list)
    _deframer: Deframer = field(default_factory=Deframer)

    # --- what the shell calls ----------------------------------------------------------------------------

    def outgoing(self) -> bytes:
        """What leaves the UART now."""
        out = b"" if self.silent else bytes(self._out)
        self._out.clear()
        if self.wish == "reboot" and not self.has_bootloader:  # the ACK has left
            self.restart()
        return out

    def receive(self, data: bytes, now_ns: int) -> None:
        """Bytes of the line, whoever they are meant for."""
        self._awake(now_ns)
        for frame in self._deframer.feed(data):
            if isinstance(frame, Fault):
                self.counters.crc_errors += frame.why == "crc"
                self.counters.length_errors += frame.why != "crc"
            elif frame.node == self.address and frame.type < 0x80:
                self._answer(frame)

    def advance(self, now_ns: int) -> None:
        """Time goes on: blocks that are full by now are sent."""
        self._awake(now_ns)
        for running in self._running if self.streaming else ():
            while running.due_us() <= self._us():
                self._unasked(self._block(running))

    def due_ns(self) -> int:
        """The host's time at which `advance` has something to do next; very late when nothing is due."""
        if not self.streaming or not self._running:
            return _NEVER
        ahead_us = min(running.due_us() for running in self._running) - self.first_us
        return self._born_ns + round(ahead_us * 1000 / (1 + self.ppm * 1e-6))

    def log(self, level: int, text: str) -> None:
        """Says something in a LOG; `level` is Python's divided by 10."""
        self._unasked(m.Log(level, text))

    def restart(self) -> None:
        """As after a reset: another boot id, a counter from 0, nothing streaming."""
        self.boot_id, self.first_us, self._born_ns = self.boot_id + 1, 0, -1
        self.streaming, self.wish, self.counters = False, "", Counters()
        self._last_command = self._last_poll = None
        self._waiting.clear()
        self._out.clear()
        self._running.clear()

    # --- time --------------------------------------------------------------------------------------------

    def _awake(self, now_ns: int) -> None:
        self._now_ns = now_ns
        if self._born_ns < 0:
            self._born_ns = now_ns
            if not self.address:
                self._send(self._hello(), 0)  # once, at the start

    def _us(self) -> int:
        """MCU time, not wrapped."""
        return self.first_us + int((self._now_ns - self._born_ns) * (1 + self.ppm * 1e-6)) // 1000

    # --- answers -----------------------------------------------------------------------------------------

    def _answer(self, frame: Frame) -> None:
        if frame.type == m.HelloRequest.type:
            self._last_command = None
            self._send(self._hello(), frame.sequence)
            return
        if frame.version not in range(self.versions[0], self.versions[1] + 1):
            self._send(m.Nak(frame.type, m.Reason.VERSION), frame.sequence)
            return
        try:
            asked = m.parse(frame)
        except MalformedError:
            self._send(m.Nak(frame.type, m.Reason.MALFORMED), frame.sequence)
            return
        reply = self._again(asked, frame.sequence) or self._reply(asked, frame.type)
        self._last_poll = (frame.sequence, reply) if isinstance(asked, m.Poll) else None
        self._send(reply, frame.sequence)

    def _again(self, asked: m.Message, sequence: int) -> m.Message | None:
        """A POLL that comes again wants what was lost on the way, and not the next block."""
        last = self._last_poll
        return last[1] if last and isinstance(asked, m.Poll) and last[0] == sequence else None

    def _reply(self, asked: m.Message, kind: int) -> m.Message:
        match asked:
            case m.DescribeRequest():
                return self._describe(asked.index)
            case m.Poll():
                return self._waiting.popleft() if self._waiting else m.Nak(kind, m.Reason.NOTHING_WAITING)
            case m.StatusRequest():
                return m.Status(*astuple(self.counters))
            case m.TimeRequest():
                now_us = self._us() & 0xFFFFFFFF
                return m.Time(asked.token, now_us, now_us)
            case m.Command():
                return self._command(asked)
        return m.Nak(kind, m.Reason.UNKNOWN_TYPE)

    def _hello(self) -> m.Hello:
        firmware = self.firmware
        flags = m.Flag.CONFIRMED * self.confirmed + m.Flag.STREAMING * self.streaming
        flags += m.Flag.POLLED * bool(self.address)
        return m.Hello(
            *self.versions,
            self.max_frame,
            self.boot_id,
            ((self._now_ns - self._born_ns) // 1_000_000) & 0xFFFFFFFF,
            len(firmware.image),
            zlib.crc32(firmware.image),
            flags,
            firmware.board,
            firmware.name,
            firmware.version,
            firmware.build,
        )

    def _describe(self, index: int) -> m.Message:
        channels = [channel for stream in self.streams for channel in stream.channels]
        if not channels and index == 0:
            return m.Channel(0, 0, 0, 0, 0.0, 0.0, 0, "", "")
        if index >= len(channels):
            return m.Nak(m.DescribeRequest.type, m.Reason.MALFORMED)
        return channels[index]

    # --- commands ----------------------------------------------------------------------------------------

    def _command(self, asked: m.Command) -> m.Ack:
        """Once: the same id again gets the same answer, and nothing happens."""
        if self._last_command is not None and self._last_command[0] == asked.id:
            self.counters.repeats += 1
            return self._last_command[1]
        ack = m.Ack(asked.id, asked.order, self._do(asked))
        self._last_command = asked.id, ack
        return ack

    def _do(self, asked: m.Command) -> m.Result:
        match asked.order:
            case m.Order.START:
                self._start()
            case m.Order.STOP:
                self.streaming = False
            case m.Order.REBOOT:
                self.wish = "reboot"
            case m.Order.ENTER_BOOTLOADER if asked.arguments != m.magic_arguments():
                return m.Result.BAD_ARGUMENT
            case m.Order.ENTER_BOOTLOADER if self.has_bootloader:
                self.wish = "bootloader"
            case m.Order.CONFIRM_IMAGE:
                self.confirmed = True
            case _:
                return m.Result.UNKNOWN
        return m.Result.DONE

    def _start(self) -> None:
        if not self.streaming:
            numbers = {r.stream.channels[0].block: r.number for r in self._running}
            self._running = [
                Running(s, s.channels[0].rate_mhz, self._us(), number=numbers.get(s.channels[0].block, 0))
                for s in self.streams
            ]
        self.streaming = True

    # --- what goes out -----------------------------------------------------------------------------------

    def _block(self, running: Running) -> m.Readings:
        stream, first = running.stream, running.row
        told = m.Readings(
            stream.channels[0].block,
            running.number & 0xFFFFFFFF,
            running.at_us(first) & 0xFFFFFFFF,
            stream.rows,
            stream.signal(first, stream.rows),
        )
        running.row, running.number = first + stream.rows, running.number + 1
        return told

    def _unasked(self, message: m.Message) -> None:
        if not self.address:
            self._send(message, 0)
            return
        if len(self._waiting) >= _WAITING:
            self._waiting.popleft()
            self.counters.tx_dropped += 1
        self._waiting.append(message)

    def _send(self, message: m.Message, sequence: int) -> None:
        self._out += wrap(Frame(self.versions[0], self.address, message.type, sequence, message.body()))


def channels(
    names: Sequence[tuple[str, str]], kind: int, scale: float, rate_hz: float, block: int = 0
) -> Iterator[m.Channel]:
    """Descriptions of channels (name, unit) of one block and one type, numbered from 0."""
    for index, (name, unit) in enumerate(names):
        yield m.Channel(index, len(names), block, kind, scale, 0.0, round(rate_hz * 1000), name, unit)


def rows_in(max_frame: int, row_bytes: int) -> int:
    """How many rows fit into one READINGS frame."""
    return (max_frame - OVERHEAD - m.Readings.layout.size) // row_bytes
