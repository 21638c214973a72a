"""Nodes behind the daemon as a user runs it: two on one pair, and one that is looked for by its name."""

from __future__ import annotations

import pytest

from edgeinfer.commands.door import ask
from firmware_bridge.simulator import Line
from tests.firmware_bridge.simulator.nodes import counting_node
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

REST = """
device = "press-07"
[rule.high]
kind = "threshold"
value = "up"
on_above = 1e9
[pipeline.watch]
sources = [{names}]
rules = ["high"]
[sink.out]
kind = "jsonl"
path = "{file}"
"""
SHARED = """
[source.{name}]
kind = "serial"
port = "{port}"
node = "{name}"
edgelink = {{ address = {address} }}
block_s = 1.0
"""
FOUND = """
[source.{name}]
kind = "serial"
node = "{name}"
ports = ["{ports}"]
"""


def test_two_nodes_of_one_pair_are_two_sources_with_a_health_of_their_own(daemon, tmp_path):
    press, pump = (counting_node(name, address=n) for n, name in ((1, "press"), (2, "pump")))
    with Line([press, pump], tmp_path / "rs485") as line:
        parts = [SHARED.format(name=n, port=line.port, address=a) for n, a in (("press", 1), ("pump", 2))]
        run = daemon(REST.format(names='"press", "pump"', file=tmp_path / "out") + "".join(parts))
        for name in ("press", "pump"):
            run.wait_post(f"source.{name}", "ok")
        press.silent = True
        run.wait_post("source.press", "degraded")
        seen = run.post("source.pump")
        wait_for(lambda: run.post("source.pump")["samples"] > seen["samples"] + 20)
        press.silent = False
        with line._lock:  # its thread works on the node
            press.log(3, "the coolant is low")
        run.wait_post("source.press", "ok", 40)
        wait_for(lambda: "press: press: the coolant is low" in run.log())
        told = run.post("source.pump")
        assert told["condition"] == "ok"
        assert not told.get("lost")
        assert not told.get("lost.up")
        assert told["node.tx_dropped"] == 0
        assert run.stop() == 0


def test_a_node_is_found_on_another_port_after_it_was_moved_and_lends_the_port_that_it_is_on(
    daemon, tmp_path
):
    with Line([counting_node("press")], tmp_path / "by-id" / "a") as first:
        part = FOUND.format(name="press", ports=tmp_path / "by-id" / "*")
        run = daemon(REST.format(names='"press"', file=tmp_path / "out") + part)
        run.wait_post("source.press", "ok")
        first.unplug()
        run.wait_post("source.press", "degraded")
    with Line([counting_node("press")], tmp_path / "by-id" / "b") as second:
        run.wait_post("source.press", "ok", 40)
        lend = {"command": "lend", "port": second.port, "to": "a flasher", "lease_s": 30.0}
        assert ask(run.state / "control.sock", lend)["sources"] == ["press"]
        run.wait_post("source.press", "degraded")
        ask(run.state / "control.sock", {"command": "return", "port": second.port})
        run.wait_post("source.press", "ok", 40)
        assert run.stop() == 0
