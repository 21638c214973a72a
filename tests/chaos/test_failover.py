"""Two brokers, one of which dies and returns: every decision arrives at one of them."""

from pathlib import Path

import pytest

from edgeinfer.sinks.mqtt import Mqtt
from tests.chaos.arrivals import Arrivals
from tests.chaos.device import ROOT, Device
from tests.waiting import wait_for


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_what_was_under_way_at_a_dead_broker_arrives_at_the_next_and_nothing_is_lost(
    tmp_path: Path, mosquitto, subscriber
):
    first, second = mosquitto(), mosquitto()
    seen = [subscriber(broker, f"{ROOT}/decision/#") for broker in (first, second)]
    with Device(tmp_path / "state", {"plant": Mqtt.Options(urls=(first.url, second.url))}) as device:
        counters = device.health.post("plant").meters.counters
        entries = [device.decide(n) for n in range(300)]
        wait_for(lambda: device.outbox.depth("plant") == 0)
        seen[0].wait_for(
            lambda m: (entries[-1].seq, entries[-1].id) in Arrivals(m).first
        )  # it acknowledges from memory
        first.kill()
        entries += [device.decide(n) for n in range(300)]
        wait_for(lambda: device.outbox.depth("plant") == 0, 60)
        first.start()
        wait_for(lambda: counters.get("reconnects", 0) >= 2, 60)
        seen[0].wait_subscribed(1)
        entries += [device.decide(n) for n in range(300)]
        wait_for(lambda: device.outbox.depth("plant") == 0, 60)
        seen[0].wait_for(lambda m: (entries[-1].seq, entries[-1].id) in Arrivals(m).first)
    arrivals = [Arrivals(one.messages) for one in seen]
    there = {decision for arrival in arrivals for decision in arrival.first}
    assert {(entry.seq, entry.id) for entry in entries} <= there
    assert counters["failovers"] == 1
    for arrival in arrivals:
        arrival.assert_in_order_and_repeated_as_they_were()


@pytest.mark.slow
def test_a_backlog_behind_a_limit_drains_in_order_with_the_heartbeat_between(
    tmp_path: Path, mosquitto, subscriber
):
    broker = mosquitto()
    seen = subscriber(broker, f"{ROOT}/#")
    options = Mqtt.Options(url=broker.url, max_messages_s=10)
    with Device(tmp_path / "state", {"plant": options}) as device:
        entries = [device.decide(n) for n in range(60)]
        seen.wait_for(lambda m: any("/decision/" in one.topic for one in m), 60)
        entries.append(device.decide(60))  # while the rest still waits
        seen.wait_for(lambda m: len(Arrivals(m).first) == 61, 60)
    topics = [message.topic.removeprefix(f"{ROOT}/") for message in seen.messages]
    decided = [n for n, topic in enumerate(topics) if topic.startswith("decision/")]
    assert "heartbeat" in topics[decided[0] : decided[-1]]
    assert Arrivals(seen.messages).first == [(entry.seq, entry.id) for entry in entries]
