"""One node's side of the conversation: bytes and times in, events and bytes out, pure; opens no port, asks no clock.

Specified in docs/firmware.md, "What a host does". One request is open at a time; a repeat has the same sequence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from struct import calcsize
from typing import Literal, NamedTuple

from firmware_bridge import messages as m
from firmware_bridge.clock import NodeClock
from firmware_bridge.errors import MalformedError
from firmware_bridge.framing import VERSION, Deframer, Fault, Frame
from firmware_bridge.link_events import Answered, Block, Described, Event, Greeted, OtherVersion, Said, Silent

__all__ = ["Answered", "Block", "Described", "Event", "Greeted", "Link", "OtherVersion", "Said", "Silent"]

State = Literal["greeting", "describing", "streaming", "bootloader"]

MS = 1_000_000
REPEAT_NS = 200 * MS
LOOK_AGAIN_NS = 2000 * MS
REST_NS = 20 * MS
TRIES = 5
SILENCE_NS = 3000 * MS
TIMES_AT_START = 8
HALF = 1 << 31


class Step(NamedTuple):
    """In a state: what is told when its request stays unanswered, and where to then."""

    reason: str
    then: State


STEPS: dict[State, Step] = {
    "greeting": Step("not one good frame: not our firmware, another baud rate, or no power", "greeting"),
    "describing": Step("the node does not describe its channels", "greeting"),
    "streaming": Step("the node does not answer any more", "greeting"),
    "bootloader": Step("the bootloader does not answer any more", "greeting"),
}


@dataclass(slots=True)
class _Request:
    message: m.Message
    sequence: int
    sent_ns: int
    tries: int = 1


class Link:
    """One node, point to point (0) or polled on a shared pair (`address` 1 to 254).

    The shell calls `receive` with what it read, `tick` at least every 50 ms, and writes `outgoing()` at once.
    All times are the host's monotonic nanoseconds.

    Args:
        address: the node's.
        start: whether its readings are started as soon as they are described.
        absent: whether it did not answer a link before this one; on a shared pair it is then greeted seldom.
    """

    def __init__(self, address: int = 0, *, start: bool = True, absent: bool = False) -> None:
        self.address, self.state, self.clock = address, "greeting", NodeClock()
        self.hello: m.Hello | None = None
        self.channels: list[m.Channel] = []
        self._start, self._deframer, self._out = start, Deframer(), bytearray()
        self._good = self._crc = self._malformed = 0
        self._open: _Request | None = None
        self._commands: deque[m.Command] = deque()
        self._sequence = self._command_id = 0
        self._blocks: dict[int, tuple[m.Channel, ...]] = {}
        self._numbers: dict[int, int | None] = {}  # None: they begin anew, as the node has restarted
        self._heard_ns: int | None = None
        self._byte_ns = 0  # on a shared pair: when the last bytes came
        self._times, self._time_ns, self._status_ns = 0, 0, 0
        self._hello_ns = self._rest_ns = 0
        self.absent = absent  # told that it is silent, and not heard since
        self._versions: tuple[int, int] | None = None

    state: State

    @property
    def counts(self) -> tuple[int, int, int]:
        """Good frames, frames with a wrong CRC, and malformed ones."""
        return self._good, self._crc, self._malformed

    @property
    def waits(self) -> bool:
        """Whether an answer is outstanding."""
        return self._open is not None

    def outgoing(self) -> bytes:
        """What is to be written now."""
        out = bytes(self._out)
        self._out.clear()
        return out

    def command(self, order: int, arguments: bytes = b"") -> int:
        """Queues a command; `Answered` with this id tells what came of it."""
        self._command_id = self._command_id % 0xFFFF + 1
        self._commands.append(m.Command(self._command_id, order, arguments))
        return self._command_id

    # --- what comes in -----------------------------------------------------------------------------------

    def receive(self, data: bytes, now_ns: int) -> list[Event]:
        """Takes what a read gave."""
        events: list[Event] = []
        if self.address and data:  # an answer that is on its way: 512 bytes take half a second at 9600 baud
            self._byte_ns = now_ns
        for frame in self._deframer.feed(data):
            if isinstance(frame, Fault):
                self._crc += frame.why == "crc"
                self._malformed += frame.why != "crc"
            elif frame.node == self.address and frame.type & 0x80:
                self._good += 1
                events += self._frame(frame, now_ns)
        return events

    def _frame(self, frame: Frame, now_ns: int) -> Iterator[Event]:
        if frame.type == m.Hello.type and len(frame.body) >= 2:
            oldest, newest = frame.body[:2]
            if not oldest <= VERSION <= newest:
                yield from self._other(oldest, newest)
                return
        if frame.version != VERSION:
            yield from self._other(frame.version, frame.version)
            return
        try:
            message = m.parse(frame)
        except MalformedError:
            self._malformed += 1
            return
        self._heard_ns, self.absent = now_ns, False
        asked = self._answered(frame, message)
        yield from self._message(message, asked, now_ns)

    def _answered(self, frame: Frame, message: m.Message) -> _Request | None:
        """The open request, when this frame is its reply."""
        request = self._open
        if request is None or frame.sequence != request.sequence:
            return None
        if frame.type != request.message.type | 0x80 and not isinstance(message, m.Nak | m.Readings | m.Log):
            return None
        if isinstance(message, m.Readings | m.Log) and not isinstance(request.message, m.Poll):
            return None
        self._open = None
        return request

    def _message(self, message: m.Message, asked: _Request | None, now_ns: int) -> Iterator[Event]:
        match message:
            case m.Readings():
                yield from self._readings(message)
            case m.Hello():
                yield from self._greet(message, asked)
            case m.Channel() if asked:
                yield from self._describe(message)
            case m.Time() if asked:
                if asked.tries == 1:  # of a repeated request nobody knows which of them this answers
                    self.clock.add(asked.sent_ns, now_ns, message.received_us, message.sent_us)
                    self._times += 1
            case m.Ack() if asked:
                yield Answered(message)
            case m.Log() | m.Status():
                yield Said(message)
            case m.Nak() if asked and isinstance(asked.message, m.Poll):
                self._rest_ns = now_ns + REST_NS

    def _other(self, oldest: int, newest: int) -> Iterator[Event]:
        if self._versions != (oldest, newest):
            self._versions = oldest, newest
            yield OtherVersion(oldest, newest)

    def _greet(self, hello: m.Hello, asked: _Request | None) -> Iterator[Event]:
        fresh = self.hello is None or hello.boot_id != self.hello.boot_id
        if not fresh and (self.state != "greeting" or asked is None):
            return
        if fresh:
            self.clock, self._times = NodeClock(), 0
            self._numbers = dict.fromkeys(self._numbers)
        self.hello, self.channels, self._open = hello, [], None
        self._blocks.clear()
        self.state = "bootloader" if hello.bootloader else "describing"
        yield Greeted(hello)

    def _describe(self, channel: m.Channel) -> Iterator[Event]:
        if self.state != "describing":
            return
        if channel.total and channel.index == len(self.channels):
            self.channels.append(channel)
        if len(self.channels) >= channel.total:
            ids = sorted({c.block for c in self.channels})
            self._blocks = {n: tuple(c for c in self.channels if c.block == n) for n in ids}
            self.state, self._times, self._time_ns, self._status_ns = "streaming", 0, 0, 0
            self._hello_ns, self._rest_ns = self._heard_ns or 0, 0
            if self._start and self.channels:
                self.command(m.Order.START)
            yield Described(tuple(self.channels))

    def _readings(self, told: m.Readings) -> Iterator[Event]:
        channels, at_ns = self._blocks.get(told.block), self.clock.host_ns(told.time_us)
        if self.state != "streaming" or not channels or at_ns is None:
            return
        if len(told.values) != told.rows * sum(calcsize(c.format) for c in channels) or not told.rows:
            self._malformed += 1
            return
        last = self._numbers.get(told.block)
        missing = 0 if last is None else (told.number - last - 1) & 0xFFFFFFFF
        if missing == 0xFFFFFFFF:  # the same block again
            return
        anew = missing >= HALF or (last is None and told.block in self._numbers)
        lost = 0 if anew else missing
        self._numbers[told.block] = told.number
        yield Block(channels, at_ns, lost, bool(lost or anew), told.values)

    # --- what goes out -----------------------------------------------------------------------------------

    def tick(self, now_ns: int) -> list[Silent]:
        """Asks what is due, repeats what was not answered, and says what stays unanswered."""
        if self._heard_ns is None:
            self._heard_ns = now_ns
        events: list[Silent] = []
        request = self._open
        if request is not None and now_ns - max(request.sent_ns, self._byte_ns) >= self._repeat_ns:
            if self.address:  # the exchange is over: half an answer will not go on
                self._malformed += self._deframer.forget()
            if self._gave_up(request, now_ns):
                events.append(Silent(STEPS[self.state].reason))
                self._heard_ns, self.absent, self._open = now_ns, True, None
                self.state = STEPS[self.state].then
            else:
                request.tries, request.sent_ns = request.tries + 1, now_ns
                self._write(request)
        if self._open is None and (message := self._next(now_ns)) is not None:
            self._sequence = self._sequence % 255 + 1  # 0 is what a node says unasked
            self._open = _Request(message, self._sequence, now_ns)
            self._write(self._open)
        return events

    @property
    def _repeat_ns(self) -> int:
        """A node that is absent from a shared pair must not take the others' time."""
        return LOOK_AGAIN_NS if self.address and self.absent else REPEAT_NS

    def _gave_up(self, request: _Request, now_ns: int) -> bool:
        if self.state == "greeting":
            return now_ns - (self._heard_ns or 0) >= SILENCE_NS
        return request.tries >= TRIES

    def _next(self, now_ns: int) -> m.Message | None:
        if self.state == "greeting":
            return m.HelloRequest()
        if self.state == "describing":
            return m.DescribeRequest(len(self.channels))
        if self.state == "bootloader":
            return m.HelloRequest() if self._due(now_ns, 1000 * MS) else None
        return self._next_streaming(now_ns)

    def _next_streaming(self, now_ns: int) -> m.Message | None:
        unknown = not self.clock.exchanges and self._times < TIMES_AT_START  # readings have no time yet
        if self._due(now_ns, 250 * MS if self._times < TIMES_AT_START else 2000 * MS) or unknown:
            return m.TimeRequest(self._sequence)
        if self._commands:
            return self._commands.popleft()
        if now_ns - self._status_ns >= 10_000 * MS:
            self._status_ns = now_ns
            return m.StatusRequest()
        if not self.address:
            return None
        if now_ns - self._hello_ns >= 2000 * MS:  # a polled node cannot say by itself that it has restarted
            self._hello_ns = now_ns
            return m.HelloRequest()
        return m.Poll() if now_ns >= self._rest_ns else None

    def _due(self, now_ns: int, every_ns: int) -> bool:
        if now_ns - self._time_ns < every_ns:
            return False
        self._time_ns = now_ns
        return True

    def _write(self, request: _Request) -> None:
        self._out += b"\0" + m.frame(request.message, request.sequence, self.address)
