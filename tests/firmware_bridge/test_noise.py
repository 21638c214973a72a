"""A streaming link on a bad line: random bytes are no reading, and one bad byte costs at most two blocks. The C side: c/test_edgelink.py."""

from __future__ import annotations

import random
import struct

import pytest

from firmware_bridge import messages as m
from firmware_bridge.errors import MalformedError
from firmware_bridge.framing import Deframer, Fault, unstuff
from firmware_bridge.link import MS, Block, Link
from tests.firmware_bridge.simulator.nodes import counting_node

ROWS = 50


class Line:
    """A link that streams from a node; what the node says then is the test's to spoil."""

    def __init__(self) -> None:
        self.link, self.node, self.now_ns = Link(), counting_node(rows=ROWS), 5_000 * MS
        for _ in range(300):  # until the clock has its first exchanges
            self.hear(self.say())
        assert self.link.state == "streaming"

    def say(self) -> bytes:
        self.now_ns += 10 * MS
        self.link.tick(self.now_ns)
        self.node.receive(self.link.outgoing(), self.now_ns)
        self.node.advance(self.now_ns)
        return self.node.outgoing()

    def hear(self, wire: bytes) -> list[Block]:
        return [e for e in self.link.receive(wire, self.now_ns) if isinstance(e, Block)]


def rows_of(block: Block) -> tuple[int, ...]:
    return struct.unpack(f"<{len(block.raw) // 2}h", block.raw)


def wires(line: Line, count: int) -> list[bytes]:
    """The node's next READINGS as it sent them, each whole; the link hears everything else at once."""
    found: list[bytes] = []
    while len(found) < count:
        for part in filter(None, line.say().split(b"\0")):
            wire = part + b"\0"
            if is_readings(wire):
                found.append(wire)
            else:
                line.hear(wire)
    assert len(found) == count, "a step of 10 ms is never longer than a block of 50 ms"
    return found


def is_readings(wire: bytes) -> bool:
    return [frame.type for frame in Deframer().feed(wire)] == [m.Readings.type]


def spoil(draw: random.Random, wire: bytes) -> bytes:
    at, kind = draw.randrange(len(wire)), draw.randrange(3)
    if kind == 0:
        return wire[:at] + bytes([wire[at] ^ draw.randrange(1, 256)]) + wire[at + 1 :]
    if kind == 1:
        return wire[:at] + wire[at + 1 :]
    return wire[:at] + draw.randbytes(1) + wire[at:]


def test_4000_single_bad_bytes_cost_at_most_two_blocks_each_and_none_is_wrong():
    line, draw = Line(), random.Random(8)
    for _ in range(4000):
        three = wires(line, 3)
        blocks = line.hear(spoil(draw, three[0]) + three[1] + three[2])
        assert sum(block.lost for block in blocks) <= 2
        assert blocks, "the third always arrives"
        for block in blocks:
            values = rows_of(block)
            assert len(values) == 2 * ROWS
            first = values[0]
            assert values[::2] == tuple((first + n + 2**15) % 2**16 - 2**15 for n in range(ROWS))


@pytest.mark.slow
@pytest.mark.parametrize("decode", [None, unstuff], ids=["fastest", "python"])
def test_ten_million_random_bytes_are_no_frame_and_no_reading(decode):
    line, draw, faults = Line(), random.Random(10_000_000), 0
    deframer = Deframer(decode=decode)
    for _ in range(1000):
        noise = draw.randbytes(10_000)
        found = deframer.feed(noise)
        assert all(isinstance(one, Fault) for one in found)
        faults += len(found)
        assert line.hear(noise) == []
    assert faults > 30_000, "a zero comes every 256 bytes"
    assert len(line.hear(b"\0" + b"".join(wires(line, 3)))) == 3


@pytest.mark.slow
def test_a_million_random_bodies_of_readings_are_refused_or_have_a_row():
    """Behind a CRC that happens to be right, the layout still has to fit."""
    draw = random.Random(3)
    for _ in range(1_000_000):
        body = draw.randbytes(draw.randrange(30))
        try:
            message = m.parse_as(m.Readings, body)
        except MalformedError:
            continue
        assert message.rows
        assert message.body() == body
