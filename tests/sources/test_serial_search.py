"""A node without a port in the config: looked for by its name."""

from __future__ import annotations

import os
from threading import Event

import pytest

from edgeinfer.commons import Commons
from edgeinfer.errors import InputError
from firmware_bridge.flash.lock import locked
from firmware_bridge.port import Port
from firmware_bridge.simulator import Line
from tests.firmware_bridge.simulator.nodes import counting_node
from tests.sources.nodes import At
from tests.waiting import wait_for


@pytest.fixture
def plug(tmp_path):
    """plug("a", node): a node behind the port by-id/a."""
    lines = []

    def made(name, *nodes, **options):
        lines.append(Line(nodes, tmp_path / "by-id" / name, **options))
        return lines[-1]

    yield made
    for line in lines:
        line.close()


@pytest.fixture
def at(tmp_path):
    return lambda **options: At(
        **{"node": "press", "ports": [str(tmp_path / "by-id/*")], "block_s": 4.0} | options
    )


class Counting:
    """A node that counts the bytes that reach it."""

    def __init__(self, node) -> None:
        self.node, self.heard = node, 0
        self.advance, self.due_ns, self.outgoing = node.advance, node.due_ns, node.outgoing

    def receive(self, data, now_ns):
        self.heard += len(data)
        self.node.receive(data, now_ns)


def lost(at) -> str:
    reader = at.read()
    wait_for(lambda: reader.error)
    return reader.error


def test_a_node_is_found_by_its_name_on_whatever_port_it_is(plug, at):
    plug("a", counting_node("pump"))
    plug("b", counting_node("press"))
    with at().read() as reader:
        wait_for(lambda: reader.found)
    assert reader.error is None


def test_it_is_looked_for_first_where_it_was_and_found_again_on_another_port(plug, at):
    other = Counting(counting_node("pump"))
    plug("a", other)
    first, press = plug("b", counting_node("press")), at()
    reader = press.read()
    wait_for(lambda: reader.found)
    first.unplug()
    wait_for(lambda: reader.error)
    first.replug()
    heard = other.heard
    again = press.read()
    wait_for(lambda: again.found)
    assert other.heard == heard
    first.unplug()
    wait_for(lambda: again.error)
    plug("c", counting_node("press"))
    with press.read() as moved:
        wait_for(lambda: moved.found)
    assert moved.found[0].gap_before


def test_on_no_port_tells_what_each_one_said(plug, at, tmp_path):
    plug("a", counting_node("pump"))
    plug("b", counting_node("press", versions=(2, 2)))
    plug("c", counting_node("press", silent=True))
    press = at(block_s=10.0)
    error = lost(press)
    assert error.startswith("no port has the node 'press' at 115200 baud: ")
    said = dict(part.split(": ", 1) for part in error.split("baud: ")[1].split("; "))
    assert said[str(tmp_path / "by-id/a")] == "pump"
    assert "speaks version 2 to 2" in said[str(tmp_path / "by-id/b")]
    assert said[str(tmp_path / "by-id/c")] == "silent"


def test_no_port_at_all_is_told(at):
    assert "there is no port like" in lost(at())


def test_a_long_round_goes_on_where_it_was(plug, at):
    for name in "abcd":
        plug(name, counting_node("press", silent=True))
    plug("e", counting_node("press"))
    press = at(block_s=2.0)
    errors = [lost(press) for _ in range(4)]
    assert all("still looking for the node 'press'" in error for error in errors)
    with press.read() as reader:
        wait_for(lambda: reader.found)


def test_a_port_that_is_open_elsewhere_is_not_touched(plug, at):
    pump = Counting(counting_node("pump"))
    line = plug("a", pump)
    with Port(line.port):
        error = lost(at())
    assert f"(process {os.getpid()})" in error
    assert pump.heard == 0


def test_a_port_on_which_a_flasher_works_is_not_touched(plug, at, tmp_path):
    press = Counting(counting_node("press"))
    line = plug("a", press)
    looking = at(commons=Commons(tmp_path))
    with locked(line.port, tmp_path / "firmware"):
        error = lost(looking)
        assert press.heard == 0
    assert f"a flasher is at work on it (process {os.getpid()})" in error
    with looking.read() as reader:
        wait_for(lambda: reader.found)


def test_a_port_that_another_source_names_is_not_touched_even_while_it_is_closed(plug, at):
    press, commons = Counting(counting_node("press")), Commons()
    commons.seated = frozenset({plug("a", press).port})
    assert "it belongs to another source" in lost(at(commons=commons))
    assert press.heard == 0


def test_a_stop_ends_the_search(plug, at):
    plug("a", counting_node("press", silent=True))
    stop = Event()
    stop.set()
    assert list(at().source.samples(stop)) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"node": ""}, "port: expected a serial port"),
        ({"protocol": "lines", "lines": {"channels": ["t"]}}, "port: expected a serial port|knows no names"),
        ({"port": "/dev/ttyUSB0"}, "ports: these are looked at for a node whose port is not given"),
        ({"edgelink": {"address": 3}}, "port: expected one, since nodes with an address share it"),
        ({"block_s": 1.0}, "block_s: expected"),
    ],
)
def test_what_no_search_can_mend_is_refused_at_once(at, options, words):
    with pytest.raises(InputError, match=words):
        at(**options)
