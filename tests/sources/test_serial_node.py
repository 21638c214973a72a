"""What can go wrong with a node on a line of its own, at the source."""

from __future__ import annotations

import logging
import random

import pytest

from firmware_bridge.simulator import Line, Noise
from tests.firmware_bridge.simulator.nodes import counting_node
from tests.sources.nodes import At, ups
from tests.waiting import wait_for


class Babbler:
    """Sends bytes that are nobody's protocol."""

    def __init__(self) -> None:
        self._draw, self._due = random.Random(4), 0

    def receive(self, data: bytes, now_ns: int) -> None: ...

    def advance(self, now_ns: int) -> None: ...

    def due_ns(self) -> int:
        return 1 << 62

    def outgoing(self) -> bytes:
        return self._draw.randbytes(100)


@pytest.fixture
def node():
    return counting_node()


@pytest.fixture
def line(node, tmp_path):
    with Line([node], tmp_path / "by-id") as made:
        yield made


def test_every_row_of_a_node_arrives_in_order_with_its_period(line):
    with At(port=line.port).read() as reader:
        wait_for(lambda: len(reader.found) > 20)
    rows = ups(reader)
    assert rows == list(range(rows[0], rows[0] + len(rows)))
    assert {s.period_ns for s in reader.found} == {1_000_000}
    assert {s.channels for s in reader.found} == {("up", "down")}


def test_an_unplugged_node_is_lost_and_comes_back_under_its_name_with_a_gap(line):
    at = At(port=line.port)
    first = at.read()
    wait_for(lambda: len(first.found) > 2)
    line.unplug()
    wait_for(lambda: first.error)
    assert "unplugged" in first.error
    line.replug()
    with at.read() as second:
        wait_for(lambda: len(second.found) > 2)
    assert [s.gap_before for s in second.found[:2]] == [True, False]
    assert ups(second)[0] > ups(first)[-1]


def test_a_restart_of_the_node_is_a_gap_and_no_loss_of_the_source(line, node):
    at = At(port=line.port)
    with at.read() as reader:
        wait_for(lambda: len(reader.found) > 2)
        with line._lock:  # its thread works on the node
            node.restart()
        seen = len(reader.found)
        wait_for(lambda: any(s.gap_before for s in reader.found[seen:]))
        wait_for(lambda: len(reader.found) > seen + 3)
    assert [s.gap_before for s in reader.found].count(True) == 1
    assert reader.error is None


def test_bytes_that_are_lost_and_bent_cost_rows_that_are_counted_by_channel_and_none_that_is_wrong(line):
    at = At(port=line.port)
    line.spoil = Noise(flip=0.0004, drop=0.0004, insert=0.0004, seed=1)
    with at.read() as reader:
        wait_for(lambda: at.counters.get("lost.up", 0) > 200, 30)
    rows = ups(reader)
    assert sorted(set(rows)) == rows
    assert at.counters["lost.up"] == at.counters["lost.down"]
    assert at.counters["bad.frame with a wrong CRC"] > 0
    assert "loss" in at.reports.now
    for before, after in zip(reader.found, reader.found[1:], strict=False):
        missing = round((after.values[0, 0] - before.values[-1, 0]) / 0.5) - 1
        assert after.gap_before == (missing > 0)


def test_half_frames_alone_are_no_reading(line):
    line.spoil = lambda data: data[: len(data) // 2]
    reader = At(port=line.port, block_s=0.5).read()
    wait_for(lambda: reader.error)
    assert reader.found == []
    assert "no reading in 0.5 s: expected the protocol edgelink at 115200 baud" in reader.error


def test_garbage_is_told_as_what_it_is(tmp_path):
    with Line([Babbler()], tmp_path / "by-id") as line:
        reader = At(port=line.port, block_s=1.0).read()
        wait_for(lambda: reader.error)
    assert reader.found == []
    assert "expected the protocol edgelink at 115200 baud" in reader.error


def test_another_firmware_than_the_one_that_is_awaited_is_told_with_both_names(line):
    reader = At(port=line.port, node="press").read()
    wait_for(lambda: reader.error)
    assert "expected 'press', found 'counter' 1.4.0 on a bench" in reader.error


def test_a_protocol_that_is_too_new_is_told_with_the_versions_and_what_to_do(tmp_path):
    with Line([counting_node(versions=(2, 3))], tmp_path / "by-id") as line:
        at = At(port=line.port, block_s=0.5)
        reader = at.read()
        wait_for(lambda: reader.error)
    assert (
        "speaks version 2 to 3 of the protocol, this program version 1: update this program" in reader.error
    )


def test_a_node_that_hangs_is_lost_as_silent_after_block_s(line, node):
    at = At(port=line.port, block_s=0.5)
    reader = at.read()
    wait_for(lambda: len(reader.found) > 2)
    node.silent = True
    wait_for(lambda: reader.error)
    assert "was silent for 0.5 s" in reader.error


def test_what_a_node_says_is_in_the_log_with_its_name_and_without_its_control_characters(line, node, caplog):
    caplog.set_level(logging.DEBUG)
    with At(port=line.port).read() as reader:
        wait_for(lambda: reader.found)
        with line._lock:  # its thread works on the node
            node.log(3, "the sensor is hot\nsource.motor is well")
        wait_for(lambda: caplog.records)
    assert caplog.records[-1].levelno == logging.WARNING
    assert caplog.messages[-1] == "motor: counter: the sensor is hot·source.motor is well"


def test_the_counters_of_a_node_are_among_those_of_its_source(line, node):
    node.counters.overruns = 7
    at = At(port=line.port)
    with at.read() as reader:
        wait_for(lambda: at.counters.get("node.overruns") == 7)
    assert at.counters["node.crc_errors"] == 0
    assert reader.error is None
