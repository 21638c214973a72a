"""The link against a node of our own making, and (slow) against the C firmware in an emulator."""

from __future__ import annotations

import struct
import time

import pytest

from firmware_bridge import messages as m
from firmware_bridge.framing import Deframer, Frame, wrap
from firmware_bridge.link import MS, Answered, Block, Described, Event, Greeted, Link, OtherVersion, Silent
from firmware_bridge.port import Port
from tests.waiting import wait_for


class Node:
    """Two channels in one block, 100 rows a second; answers at once."""

    def __init__(self) -> None:
        self.boot, self.number, self.deaf = 7, 0, False
        self.commands: list[m.Message] = []
        self._in = Deframer()

    def answer(self, data: bytes, now_ns: int) -> bytes:
        replies = (
            [] if self.deaf else [self._reply(f, now_ns) for f in self._in.feed(data) if isinstance(f, Frame)]
        )
        return b"".join(replies)

    def _reply(self, frame: Frame, now_ns: int) -> bytes:
        asked, micros = m.parse(frame), (now_ns // 1000) & 0xFFFFFFFF
        reply: m.Message
        match asked:
            case m.HelloRequest():
                reply = m.Hello(1, 1, 512, self.boot, 1, 0, 0, 0, "bench", "shaker", "1.0", "")
            case m.DescribeRequest():
                reply = m.Channel(asked.index, 2, 3, 3, 0.5, 1.0, 100_000, "xy"[asked.index], "m/s2")
            case m.TimeRequest():
                reply = m.Time(asked.token, micros, micros)
            case m.Command():
                self.commands.append(asked)
                reply = m.Ack(asked.id, asked.order, 0)
            case _:
                reply = m.Status(0, 0, 0, 0, 0, 0)
        return m.frame(reply, frame.sequence)

    def readings(self, now_ns: int, rows: int = 2) -> bytes:
        values = struct.pack(f"<{2 * rows}h", *range(2 * rows))
        told = m.Readings(3, self.number, (now_ns // 1000) & 0xFFFFFFFF, rows, values)
        self.number += 1
        return m.frame(told, 1)


class Dawdler(Node):
    """Its first two answers to TIME took longer to make than the host waited: nothing can be read from them."""

    times = 0

    def _reply(self, frame: Frame, now_ns: int) -> bytes:
        self.times += frame.type == m.TimeRequest.type
        if frame.type == m.TimeRequest.type and self.times <= 2:
            return m.frame(m.Time(0, 0, 10**6), frame.sequence)
        return super()._reply(frame, now_ns)


class Bench:
    """Link and node, in steps of 10 ms of a time of their own."""

    def __init__(self) -> None:
        self.link, self.node, self.now_ns = Link(), Node(), 5_000_000_000
        self.events: list[Event] = []

    def run(self, s: float, said: bytes = b"") -> list[Event]:
        before = len(self.events)
        self.events += self.link.receive(said, self.now_ns)
        for _ in range(round(s * 100)):
            self.events += self.link.tick(self.now_ns)
            self.events += self.link.receive(self.node.answer(self.link.outgoing(), self.now_ns), self.now_ns)
            self.now_ns += 10 * MS
        return self.events[before:]


@pytest.fixture
def bench():
    return Bench()


def kinds(events) -> list[type]:
    return [type(e) for e in events]


def test_it_greets_describes_keeps_time_and_starts(bench):
    assert kinds(bench.run(1.0))[:2] == [Greeted, Described]
    assert bench.link.state == "streaming"
    assert [c.order for c in bench.node.commands] == [m.Order.START]


def test_a_block_comes_with_its_time_and_what_is_lost_is_counted(bench):
    bench.run(1.0)
    [block] = bench.run(0.0, bench.node.readings(bench.now_ns))
    assert (block.lost, block.gap_before) == (0, False)
    assert abs(block.at_ns - bench.now_ns) < 2 * MS
    bench.node.number += 3
    [block] = bench.run(0.0, bench.node.readings(bench.now_ns))
    assert (block.lost, block.gap_before) == (3, True)


def test_a_first_round_trip_that_says_nothing_is_made_again_at_once():
    bench = Bench()
    bench.node = Dawdler()
    bench.run(0.15)
    assert bench.node.times == 3
    [block] = bench.run(0.0, bench.node.readings(bench.now_ns))
    assert abs(block.at_ns - bench.now_ns) < 2 * MS


def test_the_same_block_twice_is_taken_once(bench):
    bench.run(1.0)
    said = bench.node.readings(bench.now_ns)
    assert kinds(bench.run(0.0, said + said)) == [Block]


def test_a_damaged_frame_is_counted_and_costs_one_block(bench):
    bench.run(1.0)
    broken = bytearray(bench.node.readings(bench.now_ns))
    broken[6] ^= 0x10
    found = bench.run(0.0, bytes(broken) + bench.node.readings(bench.now_ns))
    assert [b.lost for b in found] == [1] or [b.lost for b in found] == [0]
    assert sum(bench.link.counts[1:]) == 1


def test_a_restart_is_noticed_by_the_boot_id_and_all_begins_anew(bench):
    bench.run(1.0)
    bench.node.boot, bench.node.number = 8, 0
    hello = m.Hello(1, 1, 512, 8, 1, 0, 0, 0, "bench", "shaker", "1.0", "")
    assert kinds(bench.run(1.0, m.frame(hello, 0)))[:2] == [Greeted, Described]
    assert len(bench.node.commands) == 2


def test_silence_is_told_and_the_link_goes_on_asking(bench):
    bench.node.deaf = True
    assert Silent in kinds(bench.run(4.0))
    assert "not our firmware" in bench.events[0].reason
    bench.node.deaf = False
    assert Greeted in kinds(bench.run(1.0))


def test_a_node_that_falls_silent_while_streaming_is_greeted_again(bench):
    bench.run(1.0)
    bench.node.deaf = True
    assert Silent in kinds(bench.run(5.0))
    bench.node.deaf = False
    assert kinds(bench.run(1.0))[:2] == [Greeted, Described]


def test_the_first_block_after_a_restart_tells_of_a_gap_whatever_its_number(bench):
    bench.run(1.0)
    bench.run(0.0, bench.node.readings(bench.now_ns))
    bench.node.boot, bench.node.number = 8, 0
    hello = m.Hello(1, 1, 512, 8, 1, 0, 0, 0, "bench", "shaker", "1.0", "")
    bench.run(1.0, m.frame(hello, 0))
    [block] = bench.run(0.0, bench.node.readings(bench.now_ns))
    assert (block.lost, block.gap_before) == (0, True)


def test_a_newer_protocol_is_told_with_both_versions_and_never_decoded(bench):
    newer = wrap(Frame(1, 0, m.Hello.type, 0, bytes([2, 3]) + bytes(40)))
    events = bench.run(0.0, newer + newer)
    assert events == [OtherVersion(2, 3)]
    assert "update this program" in str(events[0])


def test_a_command_is_answered_with_its_id(bench):
    bench.run(1.0)
    number = bench.link.command(m.Order.STOP)
    answers = [e for e in bench.run(1.0) if isinstance(e, Answered)]
    assert [(a.ack.id, a.ack.result) for a in answers] == [(number, 0)]


# --- the real firmware -----------------------------------------------------------------------------------


class Shell:
    """The few lines around a link that a program needs."""

    def __init__(self, name: str) -> None:
        self.port, self.link, self.events = Port(name), Link(), []

    def run(self) -> None:
        self.events += self.link.tick(time.monotonic_ns())
        if out := self.link.outgoing():
            self.port.write(out)
        if data := self.port.read(0.02):
            self.events += self.link.receive(data, time.monotonic_ns())

    def until(self, condition, what: str) -> None:
        wait_for(lambda: self.run() or condition(), 30.0, what)

    def found(self, kind: type) -> list:
        return [e for e in self.events if isinstance(e, kind)]


@pytest.mark.slow
@pytest.mark.parametrize("machine", ["mps2-an385", "microbit"])
def test_the_c_firmware_greets_describes_and_streams(machine, qemu, firmware):
    board = qemu(machine, firmware("node-cortexm", BOARD=machine) / "node.elf")
    shell = Shell(board.port)
    shell.until(lambda: shell.found(Described), "described")
    assert [c.name for c in shell.found(Described)[0].channels] == ["x", "y", "z", "temperature"]
    shell.until(lambda: len(shell.found(Block)) > 50, "blocks")
    vibration = [b for b in shell.found(Block) if len(b.channels) == 3]
    assert not any(b.lost for b in vibration)
    spans = [b.at_ns - a.at_ns for a, b in zip(vibration, vibration[1:], strict=False)]
    assert min(spans) > 0
    shell.port.close()


def test_an_answer_to_a_repeated_time_request_teaches_the_clock_nothing(bench):
    bench.run(4.0)
    answer, known = bench.node.answer, bench.link._times

    def without_times(data: bytes, now_ns: int) -> bytes:
        times = [f for f in Deframer().feed(data) if isinstance(f, Frame) and f.type == m.TimeRequest.type]
        return b"" if times else answer(data, now_ns)

    bench.node.answer = without_times
    for _ in range(500):
        bench.run(0.01)
        if (
            isinstance((request := bench.link._open) and request.message, m.TimeRequest)
            and request.tries == 2
        ):
            break
    bench.link.receive(m.frame(m.Time(request.message.token, 0, 0), request.sequence), bench.now_ns)
    assert bench.link._open is None
    assert bench.link._times == known
