import json
import re
from pathlib import Path

import pytest

from edgeinfer.sinks.mqtt import Mqtt
from tests.chaos.arrivals import Arrivals
from tests.chaos.device import ROOT, Device
from tests.fixtures.brokers import Mosquitto, free_port
from tests.waiting import wait_for

PERSISTENT = "persistence true\npersistence_location {}/\nautosave_on_changes true\nautosave_interval 1"


@pytest.fixture
def persistent(tmp_path: Path, mosquitto) -> Mosquitto:
    data = tmp_path / "data"
    data.mkdir()
    return mosquitto(PERSISTENT.format(data))


def delivered(device: Device, sink: str = "plant") -> bool:
    return device.outbox.depth(sink) == 0


def into_the_broker(broker: Mosquitto) -> list[int]:
    """By the broker's own log over all its lives: the number in each decision's topic, as first received."""
    found = re.findall(r"Received PUBLISH from .*?/decision/n(\d+)'", broker.log())
    return list(dict.fromkeys(map(int, found)))


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_broker_killed_mid_stream_gets_every_decision_in_order(tmp_path, persistent):
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=persistent.url)}) as device:
        wait_for(lambda: "broker" not in device.health.post("plant").notes)
        for life in range(4):
            for n in range(500):
                device.decide(life * 500 + n, f"n{life * 500 + n}")
                if n == 250:
                    persistent.kill()
            persistent.start()
            wait_for(lambda: delivered(device), 60)
        assert into_the_broker(persistent) == list(range(2000))


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_broker_stopped_in_order_loses_nothing_for_its_subscriber(tmp_path, persistent, subscriber):
    seen = subscriber(persistent, f"{ROOT}/decision/#")
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=persistent.url)}) as device:
        entries = []
        for _ in range(3):
            entries += [device.decide(n) for n in range(300)]
            lives = seen.subscriptions
            persistent.stop()
            persistent.start()
            seen.wait_subscribed(lives)
            wait_for(lambda: delivered(device), 60)
        seen.wait_for(lambda m: not Arrivals(m[-2000:]).missing([(entries[-1].seq, entries[-1].id)]))
    arrivals = Arrivals(seen.messages)
    assert arrivals.missing((e.seq, e.id) for e in entries) == []
    arrivals.assert_in_order_and_repeated_as_they_were()


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_a_frozen_broker_loses_nothing(tmp_path, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, f"{ROOT}/decision/#")
    options = Mqtt.Options(url=broker.url, ack_timeout_s=0.5)
    with Device(tmp_path / "state", {"plant": options}) as device:
        entries = [device.decide(n) for n in range(200)]
        broker.freeze()
        entries += [device.decide(n) for n in range(200)]
        wait_for(lambda: "broker" in device.health.post("plant").notes, 30)
        broker.thaw()
        wait_for(lambda: delivered(device), 60)
        seen.wait_for(lambda m: len(Arrivals(m).first) == 400)
    arrivals = Arrivals(seen.messages)
    assert arrivals.missing((e.seq, e.id) for e in entries) == []
    arrivals.assert_in_order_and_repeated_as_they_were()


@pytest.mark.slow
def test_decisions_without_a_broker_wait_for_it(tmp_path, persistent, subscriber):
    seen = subscriber(persistent, f"{ROOT}/decision/#")
    persistent.stop()
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=persistent.url)}) as device:
        entries = [device.decide(n) for n in range(300)]
        wait_for(lambda: "does not listen" in device.health.post("plant").notes.get("broker", ""))
        persistent.start()
        seen.wait_for(lambda m: len(Arrivals(m).first) == 300, 60)
    assert Arrivals(seen.messages).missing((e.seq, e.id) for e in entries) == []


@pytest.mark.slow
def test_a_dead_second_sink_holds_back_nothing(tmp_path, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, f"{ROOT}/decision/#")
    dead = Mqtt.Options(url=f"mqtt://127.0.0.1:{free_port()}")
    with Device(tmp_path / "state", {"dead": dead, "plant": Mqtt.Options(url=broker.url)}) as device:
        for n in range(500):
            device.decide(n)
        seen.wait_for(lambda m: len(m) == 500)
        assert device.outbox.depth("dead") == 500


@pytest.mark.slow
def test_a_topic_that_the_broker_forbids_is_a_dead_letter_and_blocks_nothing(tmp_path, mosquitto, subscriber):
    (tmp_path / "acl").write_text(f"topic readwrite #\ntopic deny {ROOT}/decision/secret\n")
    broker = mosquitto(f"acl_file {tmp_path / 'acl'}")
    seen = subscriber(broker, f"{ROOT}/decision/#")
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=broker.url)}) as device:
        refused, allowed = device.decide(0, "secret"), device.decide(1)
        seen.wait_for(lambda m: Arrivals(m).first == [(allowed.seq, allowed.id)])
        wait_for(lambda: delivered(device))
        ((entry, reason),) = device.outbox.refused("plant")
    assert entry.id == refused.id
    assert "Not authorized" in reason


@pytest.mark.slow
def test_states_are_rebuilt_at_a_broker_that_forgot_them(tmp_path, mosquitto, subscriber):
    broker = mosquitto()
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=broker.url)}) as device:
        entry = device.decide(1)
        wait_for(lambda: delivered(device))
        broker.restart()
        wait_for(lambda: device.health.post("plant").meters.counters.get("reconnects") == 1, 30)
        seen = subscriber(broker, f"{ROOT}/#")
        seen.wait_for(lambda m: any(one.topic == f"{ROOT}/status" and one.payload == b"online" for one in m))
        (state,) = seen.on(f"{ROOT}/state/r")
    assert state.retain
    assert json.loads(state.payload)["id"] == entry.id


@pytest.mark.slow
def test_the_state_of_a_rule_that_left_is_gone_from_the_broker(tmp_path, mosquitto, subscriber):
    broker = mosquitto()
    options = {"plant": Mqtt.Options(url=broker.url)}
    with Device(tmp_path / "state", options, ("r", "old")) as device:
        wait_for(lambda: device.health.post("plant").condition == "ok")
    before = subscriber(broker, f"{ROOT}/#", client_id="before")
    before.wait_for(lambda m: any(one.topic == f"{ROOT}/state/old" for one in m))
    with Device(tmp_path / "state", options, ("r",)) as device:
        wait_for(lambda: device.outbox.retained("plant") == {"r"})
        after = subscriber(broker, f"{ROOT}/#", client_id="after")
        after.wait_for(lambda m: any(one.topic == f"{ROOT}/status" for one in m))
        assert {m.topic for m in after.messages if "/state/" in m.topic} == {f"{ROOT}/state/r"}


@pytest.mark.slow
def test_an_ordered_stop_leaves_states_unknown_and_status_offline(tmp_path, mosquitto, subscriber):
    broker = mosquitto()
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=broker.url)}) as device:
        device.decide(1)
        wait_for(lambda: delivered(device))
    seen = subscriber(broker, f"{ROOT}/#")
    seen.wait_for(lambda m: any(one.topic == f"{ROOT}/status" and one.payload == b"offline" for one in m))
    (state,) = seen.on(f"{ROOT}/state/r")
    assert json.loads(state.payload)["state"] == "unknown"


@pytest.mark.slow
def test_a_device_that_dies_is_offline_by_its_last_will(tmp_path, mosquitto, subscriber):
    broker = mosquitto()
    with Device(tmp_path / "state", {"plant": Mqtt.Options(url=broker.url)}) as device:
        wait_for(lambda: device.health.post("plant").condition == "ok")
        seen = subscriber(broker, f"{ROOT}/status")
        seen.wait_for(lambda m: [one.payload for one in m] == [b"online"])
        device.couriers[0]._sink._link.kill("as a crash would")
        seen.wait_for(lambda m: b"offline" in [one.payload for one in m])
        seen.wait_for(lambda m: m[-1].payload == b"online")


@pytest.mark.slow
def test_a_frozen_broker_does_not_hold_up_an_ordered_stop(tmp_path, mosquitto):
    broker = mosquitto()
    device = Device(tmp_path / "state", {"plant": Mqtt.Options(url=broker.url)})
    wait_for(lambda: device.health.post("plant").condition == "ok")
    broker.freeze()
    device.decide(1)
    assert device.stop(3)
    assert not device.fatal
