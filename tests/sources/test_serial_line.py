"""Several nodes on one pair: two sources, one port."""

from __future__ import annotations

from threading import Thread

import pytest

from edgeinfer.commons import Commons
from edgeinfer.sources.serial_line import SharedLines, Turns
from firmware_bridge.framing import Deframer, Frame
from firmware_bridge.simulator import Line
from tests.firmware_bridge.simulator.nodes import counting_node
from tests.sources.nodes import At, ups
from tests.waiting import wait_for


class Pair:
    """A talker that holds two nodes and looks whether anybody asks before the last one was answered."""

    def __init__(self, *nodes) -> None:
        self.nodes, self._asked, self._answered = nodes, Deframer(), Deframer()
        self.open: list[int] = []
        self.together = 0

    def receive(self, data, now_ns):
        for frame in self._asked.feed(data):
            if isinstance(frame, Frame):
                self.together += bool(self.open)
                self.open.append(frame.node)
        for node in self.nodes:
            node.receive(data, now_ns)

    def advance(self, now_ns):
        for node in self.nodes:
            node.advance(now_ns)

    def due_ns(self):
        return min(node.due_ns() for node in self.nodes)

    def outgoing(self):
        out = b"".join(node.outgoing() for node in self.nodes)
        for frame in self._answered.feed(out):
            if isinstance(frame, Frame):
                self.open.remove(frame.node)
        return out


@pytest.fixture
def pair():
    return Pair(counting_node("press", address=1), counting_node("pump", address=2, rate_hz=200, rows=10))


@pytest.fixture
def line(pair, tmp_path):
    with Line([pair], tmp_path / "rs485") as made:
        yield made


@pytest.fixture
def at(line):
    commons = Commons()

    def made(name, address, **options):
        return At(name, commons, port=line.port, node=name, edgelink={"address": address}, **options)

    return made


def test_two_sources_share_a_port_and_each_gets_every_row_of_its_own_node(at, pair):
    first = at("press", 1)
    first.place.commons.the(SharedLines).begin_s = 0.9  # on a busy machine the simulated nodes are late
    with first.read() as press, at("pump", 2).read() as pump:
        wait_for(lambda: len(press.found) > 30 and len(pump.found) > 30)
    for reader, period_ns in ((press, 1_000_000), (pump, 5_000_000)):
        rows = ups(reader)
        assert rows == list(range(rows[0], rows[0] + len(rows)))
        assert {s.period_ns for s in reader.found} == {period_ns}
        assert not any(s.gap_before for s in reader.found)
    assert pair.together == 0


def test_a_dead_node_is_lost_by_itself_and_does_not_starve_the_other(at, pair):
    press, pump = at("press", 1, block_s=1.0), at("pump", 2)
    first, other = press.read(), pump.read()
    wait_for(lambda: first.found and other.found)
    pair.nodes[0].silent = True
    wait_for(lambda: first.error)
    assert "for 1.0 s" in first.error
    again = press.read()  # a feed tries for ever
    wait_for(lambda: again.error)
    pair.nodes[0].silent = False
    with press.read() as back:
        wait_for(lambda: len(back.found) > 3)
    other.end()
    assert back.found[0].gap_before
    assert other.error is None
    rows = ups(other)
    assert rows == list(range(rows[0], rows[0] + len(rows)))
    assert not any(s.gap_before for s in other.found)


def test_an_unplugged_adapter_is_lost_by_all_and_comes_back_for_all(at, line):
    sources = [at("press", 1), at("pump", 2)]
    readers = [source.read() for source in sources]
    wait_for(lambda: all(reader.found for reader in readers))
    line.unplug()
    wait_for(lambda: all(reader.error for reader in readers))
    line.replug()
    again = [source.read() for source in sources]
    wait_for(lambda: all(len(reader.found) > 2 for reader in again))
    for reader in again:
        reader.end()
        assert reader.found[0].gap_before


def test_one_source_stops_and_the_other_goes_on_and_the_last_closes_the_port(at, line):
    press, pump = at("press", 1).read(), at("pump", 2).read()
    wait_for(lambda: press.found and pump.found)
    press.end()
    seen = len(pump.found)
    wait_for(lambda: len(pump.found) > seen + 5)
    pump.end()
    reader = At(port=line.port, edgelink={"address": 1}).read()  # of another daemon: it has to be free
    wait_for(lambda: reader.found)
    reader.end()


def test_a_node_with_the_wrong_name_is_told_at_its_address(at):
    reader = At(
        "x",
        at("press", 1).place.commons,
        port=at("press", 1).source._options.port,
        node="fan",
        edgelink={"address": 1},
    ).read()
    wait_for(lambda: reader.error)
    assert "expected 'fan', found 'press'" in reader.error


class Babbler:
    """Answers with bytes that have no end."""

    def __init__(self):
        self._begun = False

    def receive(self, data, now_ns):
        self._begun = True

    def advance(self, now_ns): ...

    def due_ns(self):
        return 0

    def outgoing(self):
        return b"\x55" * 64 if self._begun else b""


def test_bytes_without_end_are_no_answer_and_do_not_hold_the_line_for_ever(tmp_path):
    with Line([Babbler()], tmp_path / "rs485") as line:
        reader = At(port=line.port, edgelink={"address": 1}, block_s=1.0).read()
        wait_for(lambda: reader.error)
        reader.end()
    assert "no reading in 1.0 s" in reader.error


def test_two_sources_that_want_one_address_or_other_settings_are_told_so(at):
    with at("press", 1).read() as press:
        wait_for(lambda: press.found)
        same, slower = at("press", 1).read(), at("pump", 2, baud=9600).read()
        wait_for(lambda: same.error and slower.error)
    assert "asks address 1 already" in same.error
    assert "has it open with 115200 baud" in slower.error


def test_turns_are_given_in_the_order_in_which_they_were_asked_for():
    turns, order, threads = Turns(), [], []

    def take(n):
        with turns.one():
            order.append(n)

    with turns.one():
        for n in range(5):
            threads.append(Thread(target=take, args=(n,)))
            threads[-1].start()
            wait_for(lambda: turns._asked == n + 2)
    for thread in threads:
        thread.join(5)
    assert order == [0, 1, 2, 3, 4]
