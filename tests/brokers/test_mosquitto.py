"""The documented mosquitto under `kill -9`, and the documented bridge while its centre is down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgeinfer.sinks.mqtt import Mqtt
from tests.brokers.documented import USERS, Documented
from tests.chaos.arrivals import Arrivals
from tests.chaos.device import DEVICE, ROOT, Device
from tests.fixtures.brokers import Mosquitto, Subscriber
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(200)]


@pytest.fixture
def documented(tmp_path: Path) -> Iterator[Callable[..., Documented]]:
    """`documented(name, centre=None)`"""
    made: list[Documented] = []

    def start(name: str, centre: Mosquitto | None = None) -> Documented:
        made.append(Documented(tmp_path / name, centre))
        return made[-1]

    yield start
    for broker in reversed(made):
        broker.stop()
        print(f"--- {broker.folder.name}\n{broker.log()[-2000:]}")


@pytest.fixture
def options(tmp_path: Path) -> Callable[[Mosquitto], Mqtt.Options]:
    path = tmp_path / "credentials"
    path.write_text(f"{DEVICE}:{USERS[DEVICE]}\n")
    path.chmod(0o600)
    return lambda broker: Mqtt.Options(url=broker.url, credentials_file=str(path))


def floor(broker: Mosquitto) -> Subscriber:
    return Subscriber(broker, f"{ROOT}/decision/#", user="floor", password=USERS["floor"], client_id="floor")


def drained(device: Device) -> None:
    wait_for(lambda: device.outbox.depth("plant") == 0, 60, f"{device.health.snapshot()}")


def test_a_broker_that_is_killed_keeps_what_it_acknowledged_for_a_subscriber_that_is_away(
    tmp_path, documented, options
):
    broker = documented("site")
    floor(broker).close()  # its session stays
    with Device(tmp_path / "state", {"plant": options(broker)}) as device:
        entries = [device.decide(n) for n in range(300)]
        drained(device)
        wait_for(lambda: entries[-1].id.encode() in broker.saved())
        broker.restart()
        entries += [device.decide(n) for n in range(300, 600)]
        drained(device)
        seen = floor(broker)
        seen.wait_for(lambda m: len(Arrivals(m).first) == 600)
        seen.close()
    arrivals = Arrivals(seen.messages)
    assert arrivals.missing((e.seq, e.id) for e in entries) == []
    arrivals.assert_in_order_and_repeated_as_they_were()


def test_killed_while_a_device_publishes_it_can_forget_no_more_than_what_was_in_flight(
    tmp_path, documented, options
):
    broker = documented("site")
    floor(broker).close()
    kills = 3
    with Device(tmp_path / "state", {"plant": options(broker)}) as device:
        entries = []
        for _ in range(kills):
            entries += [device.decide(n) for n in range(200)]
            sent = device.health.post("plant").meters.counters
            before = sent.get("sent", 0)
            wait_for(lambda: sent.get("sent", 0) > before or device.outbox.depth("plant") == 0, 30)
            broker.restart()
        drained(device)
        last = device.decide(1)
        seen = floor(broker)
        seen.wait_for(lambda m: (last.seq, last.id) in Arrivals(m).first, 60)
        seen.close()
    arrivals = Arrivals(seen.messages)
    arrivals.assert_in_order_and_repeated_as_they_were()
    missing = arrivals.missing((e.seq, e.id) for e in entries)
    print(f"{kills} kills, {len(entries)} decisions, forgotten {len(missing)}, {arrivals.repeats} repeats")
    assert len(missing) <= kills * Mqtt.Options().in_flight


def test_a_bridge_brings_everything_to_a_centre_that_was_away(tmp_path, documented, options):
    centre = documented("centre")
    site = documented("site", centre)
    seen = floor(centre)
    status = Subscriber(centre, f"{ROOT}/status", user="floor", password=USERS["floor"], client_id="status")
    with Device(tmp_path / "state", {"plant": options(site)}) as device:
        entries = [device.decide(n) for n in range(200)]
        seen.wait_for(lambda m: len(Arrivals(m).first) == 200)
        status.wait_for(lambda m: [one.payload for one in m] == [b"online"])
        centre.stop()
        entries += [device.decide(n) for n in range(200, 500)]
        drained(device)
        lives = seen.subscriptions
        centre.start()
        seen.wait_subscribed(lives, 40)
        entries += [device.decide(n) for n in range(500, 600)]
        seen.wait_for(lambda m: len(Arrivals(m).first) == 600, 60)
    status.wait_for(lambda m: m[-1].payload == b"offline")
    for one in (seen, status):
        one.close()
    arrivals = Arrivals(seen.messages)
    # In order it is not always: what is new may overtake what waits at a bridge (docs/brokers.md).
    assert sorted(arrivals.first) == [(entry.seq, entry.id) for entry in entries]
