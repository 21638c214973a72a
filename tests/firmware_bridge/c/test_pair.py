"""Two nodes of the C library on one RS-485 pair, polled as docs/firmware.md, "Shared pair" says; each hears all of it."""

from __future__ import annotations

import os
import random
import select
import struct
import subprocess
from pathlib import Path

import pytest

from firmware_bridge import messages as m
from firmware_bridge.framing import Deframer, Frame
from firmware_bridge.link import MS, Answered, Block, Greeted, Link, Said

pytestmark = pytest.mark.slow  # needs compilers
FIRST, SECOND = 3, 7


class Pair:
    """The wires, with two nodes on them; `say` gives all bytes that came back."""

    def __init__(self, binary: Path) -> None:
        self._process = subprocess.Popen(
            [binary, str(FIRST), str(SECOND)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def say(self, data: bytes, answer_s: float = 5.0) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(data)
        said = b""
        while answer_s and not said.endswith(b"\0"):
            assert select.select([self._process.stdout], [], [], answer_s)[0], "nobody answered"
            said += os.read(self._process.stdout.fileno(), 4096)
        return said

    def close(self) -> bytes:
        """What was said and not yet read; the sanitizers have nothing to say."""
        rest, _ = self._process.communicate(timeout=10)
        assert self._process.returncode == 0
        return rest


@pytest.fixture
def wires(pair):
    line = Pair(pair)
    yield line
    line.close()


def ask(wires: Pair, message: m.Message, sequence: int, node: int) -> tuple[int, m.Message]:
    """The address and the answer: exactly one frame."""
    [frame] = Deframer().feed(wires.say(m.frame(message, sequence, node)))
    assert isinstance(frame, Frame)
    assert frame.sequence == sequence
    return frame.node, m.parse(frame)


def test_only_the_node_that_is_asked_answers_and_says_which_it_is(wires):
    for sequence, (node, name) in enumerate([(FIRST, "first"), (SECOND, "second"), (FIRST, "first")]):
        address, hello = ask(wires, m.HelloRequest(), sequence, node)
        assert (address, hello.name, hello.flags) == (node, name, m.Flag.POLLED)


def test_nobody_speaks_unasked_nor_to_address_0_nor_to_a_third(pair):
    wires = Pair(pair)
    for node in (0, 1, 255):
        wires.say(m.frame(m.HelloRequest(), 1, node), answer_s=0)
    wires.say(
        m.frame(m.Status(1, 2, 3, 4, 5, 6), 1, FIRST), answer_s=0
    )  # a reply, as the other one sends them
    assert wires.close() == b""


def test_a_poll_gives_the_oldest_block_then_the_log_then_nothing(wires):
    ask(wires, m.Command(1, m.Order.START), 1, FIRST)
    ask(wires, m.Command(2, 128, b"\2"), 2, FIRST)
    said = [ask(wires, m.Poll(), n, FIRST)[1] for n in range(3, 7)]
    assert [block.number for block in said[:2]] == [0, 1]
    assert said[2:] == [m.Log(2, "all fetched"), m.Nak(m.Poll.type, m.Reason.NOTHING_WAITING)]


def test_the_other_nodes_traffic_does_not_cost_the_block_that_is_asked_for_again(wires):
    """The answer was lost on its way; meanwhile the host has asked the other node, with the same sequence too."""
    for node in (FIRST, SECOND):
        ask(wires, m.Command(1, m.Order.START), 1, node)
        ask(wires, m.Command(2, 128, b"\2"), 2, node)
    _, lost = ask(wires, m.Poll(), 9, FIRST)
    assert ask(wires, m.Poll(), 9, SECOND)[1].values == bytes([100])
    assert ask(wires, m.Poll(), 9, FIRST)[1] == lost
    assert ask(wires, m.Poll(), 10, FIRST)[1].number == lost.number + 1


def test_a_poll_of_a_node_that_was_not_started_is_refused_but_its_log_is_given(wires):
    ask(wires, m.Command(2, 128, b"\1"), 2, SECOND)
    assert ask(wires, m.Poll(), 3, SECOND)[1] == m.Nak(m.Poll.type, m.Reason.NOTHING_WAITING)
    assert ask(wires, m.Poll(), 4, SECOND)[1] == m.Log(2, "all fetched")


def test_command_ids_of_two_nodes_are_their_own(wires):
    for node in (FIRST, SECOND):
        assert ask(wires, m.Command(5, 128, b"\1"), 1, node)[1] == m.Ack(5, 128, 0)
    for node in (FIRST, SECOND):
        assert ask(wires, m.StatusRequest(), 2, node)[1].repeats == 0
    ask(wires, m.Command(5, 128, b"\1"), 3, FIRST)
    assert [ask(wires, m.StatusRequest(), 4, node)[1].repeats for node in (FIRST, SECOND)] == [1, 0]


def test_two_links_take_turns_and_lose_nothing_though_a_tenth_of_the_answers_is_lost(wires):
    """Our own host side; a request and its answer, or the 200 ms of silence after it, then the other one's turn."""
    draw, now_ns, links = random.Random(6), 1000 * MS, {node: Link(node) for node in (FIRST, SECOND)}
    events: dict[int, list] = {node: [] for node in links}
    for _ in range(1500):
        for node, link in links.items():
            now_ns += 5 * MS
            if link.state == "streaming" and draw.random() < 0.05:
                link.command(128, b"\1")
            events[node] += link.tick(now_ns)
            if request := link.outgoing():
                answer = wires.say(request)
                now_ns += 5 * MS
                if draw.random() > 0.1:
                    events[node] += link.receive(answer, now_ns)
                else:
                    now_ns += 200 * MS
    for node, base in ((FIRST, 0), (SECOND, 100)):
        found = events[node]
        assert [e.hello.name for e in found if isinstance(e, Greeted)] == [
            "first" if node == FIRST else "second"
        ]
        blocks = [e for e in found if isinstance(e, Block)]
        asked = sum(isinstance(e, Answered) and e.ack.order == 128 for e in found)
        assert [struct.unpack("<B", b.raw)[0] for b in blocks] == [
            (base + n) % 256 for n in range(len(blocks))
        ]
        assert sum(b.lost for b in blocks) == 0
        assert len(blocks) >= asked - 1 > 10
        assert any(isinstance(e, Said) and isinstance(e.message, m.Log) for e in found)
