"""The documented cluster of three nats-servers, a node of which dies while a device publishes."""

from __future__ import annotations

import signal

import pytest

from edgeinfer.sinks.mqtt import Mqtt
from tests.chaos.arrivals import Arrivals
from tests.chaos.device import ROOT, Device
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


def test_a_node_that_is_killed_while_a_device_publishes_loses_nothing(tmp_path, cluster, subscriber):
    first, *_, last = cluster.nodes
    seen = subscriber(last, f"{ROOT}/#")
    with Device(tmp_path / "state", {"plant": Mqtt.Options(urls=cluster.urls)}) as device:
        entries = [device.decide(n) for n in range(200)]
        seen.wait_for(lambda m: len(Arrivals(m).first) > 50, 60)
        first.end(signal.SIGKILL)
        entries += [device.decide(n) for n in range(200, 400)]
        wait_for(lambda: device.outbox.depth("plant") == 0, 90, f"{device.health.snapshot()}")
        first.start()
        entries += [device.decide(n) for n in range(400, 500)]
        wait_for(lambda: device.outbox.depth("plant") == 0, 90, f"{device.health.snapshot()}")
        seen.wait_for(lambda m: len(Arrivals(m).first) == 500, 60)
        counters = device.health.post("plant").meters.counters
        assert counters["failovers"] >= 1
    arrivals = Arrivals(seen.messages)
    assert arrivals.missing((e.seq, e.id) for e in entries) == []
    arrivals.assert_in_order_and_repeated_as_they_were()


def test_states_and_status_are_retained_in_the_cluster(tmp_path, cluster, subscriber):
    first, *_, last = cluster.nodes
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=first.url)}) as device:
        device.decide(1)
        wait_for(lambda: device.outbox.depth("plant") == 0, 60)
        seen = subscriber(last, f"{ROOT}/#")
        seen.wait_for(
            lambda m: (
                {(x.topic, x.retain) for x in m} >= {(f"{ROOT}/state/r", True), (f"{ROOT}/status", True)}
            )
        )
