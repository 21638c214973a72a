"""Simulated nodes behind a real pseudo-terminal, read by our own port."""

from __future__ import annotations

import os
import time

import pytest

from firmware_bridge.errors import PortLostError
from firmware_bridge.link import Block, Greeted, Link, Silent
from firmware_bridge.port import Port
from firmware_bridge.simulator import Line
from tests.firmware_bridge.simulator.nodes import counting_node
from tests.waiting import wait_for


class Reader:
    """A link on an open port, stepped by hand."""

    def __init__(self, port: Port, address: int = 0) -> None:
        self.port, self.link, self.events = port, Link(address), []

    def step(self) -> list:
        now_ns = time.monotonic_ns()
        self.events += self.link.tick(now_ns)
        if said := self.link.outgoing():
            self.port.write(said)
        self.events += self.link.receive(self.port.read(0.005), time.monotonic_ns())
        return self.events

    def of(self, kind) -> list:
        return [e for e in self.step() if isinstance(e, kind)]


def test_a_program_opens_the_port_and_gets_readings_without_a_gap():
    with Line([counting_node()]) as line, Port(line.port) as port:
        reader = Reader(port)
        wait_for(lambda: len(reader.of(Block)) >= 20)
        assert [e.hello.name for e in reader.of(Greeted)] == ["counter"]
        assert sum(b.lost for b in reader.of(Block)) == 0


def test_pulling_the_plug_is_an_error_and_the_name_comes_back(tmp_path):
    with Line([counting_node()], tmp_path / "by-id" / "usb-node") as line:
        with Port(line.port) as port:
            reader = Reader(port)
            wait_for(lambda: reader.of(Block))
            line.unplug()
            assert not os.path.lexists(line.port)
            with pytest.raises(PortLostError):
                wait_for(lambda: reader.of(Silent))
        line.replug()
        with Port(line.port) as port:
            reader = Reader(port)
            wait_for(lambda: reader.of(Block))


def test_a_port_that_nobody_reads_does_not_fill_up_and_costs_next_to_nothing():
    node = counting_node(rate_hz=10_000)
    with Line([node]) as line:
        with Port(line.port) as port:
            reader = Reader(port)
            wait_for(lambda: reader.of(Block))
        before = node.counters.tx_dropped
        with Port(line.port) as port:
            reader = Reader(port)
            wait_for(lambda: len(reader.of(Block)) > 5)
        assert node.counters.tx_dropped == before


def test_two_nodes_on_one_terminal_are_polled_in_turn():
    with (
        Line([counting_node("one", address=1), counting_node("two", address=2)]) as line,
        Port(line.port) as port,
    ):
        links = [Link(1), Link(2)]
        events = [[], []]

        def turn() -> bool:
            for link, seen in zip(links, events, strict=True):
                seen.extend(link.tick(time.monotonic_ns()))
                port.write(link.outgoing())
                data = port.read(0.005)
                for other, its in zip(links, events, strict=True):
                    its.extend(other.receive(data, time.monotonic_ns()))
            return all(sum(isinstance(e, Block) for e in seen) > 5 for seen in events)

        wait_for(turn)
        assert all(e.lost == 0 for seen in events for e in seen if isinstance(e, Block))


def test_closing_ends_the_thread_and_takes_the_name_away(tmp_path):
    line = Line([counting_node()], tmp_path / "node")
    line.close()
    assert not os.path.lexists(tmp_path / "node")
