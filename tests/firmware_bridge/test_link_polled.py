"""What the link does on a shared pair; no port, a time of its own."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from firmware_bridge import messages as m
from firmware_bridge.framing import Deframer, Frame
from firmware_bridge.link import MS, Block, Greeted, Link, Silent
from tests.firmware_bridge.simulator.nodes import counted, counting_node

S = 1000 * MS


class Pair:
    """One host's link and one node with address 3, in steps of 1 ms; counts what the host asks."""

    def __init__(self, node) -> None:
        self.node, self.link, self.now_ns = node, Link(3), 5 * S
        self.events: list = []
        self.lose = 0  # so many of the node's next answers
        self.halve = False  # or of the next one the second half
        self._heard = Deframer()

    def run(self, s: float) -> Counter:
        asked: Counter = Counter()
        for _ in range(round(s * 1000)):
            self.now_ns += MS
            self.events += self.link.tick(self.now_ns)
            said = self.link.outgoing()
            asked.update(
                m.parse(f).__class__.__name__ for f in self._heard.feed(said) if isinstance(f, Frame)
            )
            self.node.receive(said, self.now_ns)
            self.node.advance(self.now_ns)
            answer = self.node.outgoing()
            if answer and self.lose:
                self.lose, answer = self.lose - 1, b""
            if answer and self.halve:
                self.halve, answer = False, answer[: len(answer) // 2]
            self.events += self.link.receive(answer, self.now_ns)
        return asked

    def of(self, kind) -> list:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def pair():
    return Pair(counting_node(address=3))


def rows(blocks) -> np.ndarray:
    return np.concatenate([np.frombuffer(b.raw, "<i2").reshape(-1, 2)[:, 0] for b in blocks])


def test_with_nothing_waiting_it_rests_between_two_polls(pair):
    pair.run(2)
    assert 20 <= pair.run(1)["Poll"] <= 50 + 20  # 20 blocks a second, each followed by the next POLL at once


def test_a_lost_answer_is_asked_for_again_and_costs_no_block(pair):
    pair.run(2)
    for _ in range(5):
        pair.lose = 1
        pair.run(0.7)
    blocks = pair.of(Block)
    assert not any(b.lost for b in blocks)
    assert rows(blocks).tolist() == np.frombuffer(counted(0, len(rows(blocks))), "<i2")[::2].tolist()


def test_half_an_answer_does_not_spoil_its_repeat_too(pair):
    pair.run(2)
    before = pair.of(Block)
    for _ in range(5):
        pair.halve = True
        pair.run(0.35)
        assert len(pair.of(Block)) > len(before)
        before = pair.of(Block)
    assert not any(b.lost for b in before)
    assert pair.link.counts[1:] == (0, 5)


def test_a_node_that_is_absent_is_greeted_every_two_seconds_only(pair):
    pair.node.silent = True
    pair.run(4)
    assert pair.run(10) == Counter(HelloRequest=5)
    assert all("not our firmware" in e.reason for e in pair.of(Silent))
    pair.node.silent = False
    pair.run(3)
    assert pair.of(Block)


def test_one_that_was_absent_before_is_greeted_seldom_from_the_start_and_at_once_known_when_it_answers():
    absent = Pair(counting_node(address=3))
    absent.link, absent.node.silent = Link(3, absent=True), True
    assert absent.run(4.5) == Counter(HelloRequest=3)
    present = Pair(counting_node(address=3))
    present.link = Link(3, absent=True)
    present.run(0.5)
    assert present.of(Block)


def test_a_restart_of_a_node_that_cannot_announce_it_is_noticed(pair):
    pair.run(2)
    pair.node.restart()
    before = len(pair.of(Block))
    pair.run(3)
    assert [e.hello.boot_id for e in pair.of(Greeted)] == [1, 2]
    fresh = pair.of(Block)[before:]
    assert [b.gap_before for b in fresh] == [True] + [False] * (len(fresh) - 1)
    assert len(fresh) > 10


def test_half_an_answer_on_a_slow_pair_is_no_silence():
    link, now_ns = Link(3), 5_000 * MS
    link.tick(now_ns)
    asked = link.outgoing()
    for _ in range(10):  # a byte each 100 ms: the answer is on its way
        now_ns += 100 * MS
        link.receive(b"\x05", now_ns)
        link.tick(now_ns)
        assert link.outgoing() == b""
    link.tick(now_ns + 200 * MS)
    assert link.outgoing() == asked
