"""The subscribers of docs/snippets at a real broker: one daemon that is killed, one stream with every fault, one story
for all of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import paho.mqtt.client as paho
import pytest

from tests.fixtures.brokers import Mosquitto, Subscriber
from tests.line.conftest import Daemon
from tests.line.test_daemon import belt
from tests.subscribers.listeners import ALL, Listener, Said
from tests.waiting import wait_for
from tests.wire.test_stream import decision, gap

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROOT = "edgeinfer/press-07"
SINK = '[sink.plant]\nkind = "mqtt"\nurl = "{url}"\nalso = ["homeassistant"]\n'
SURPLUS = 12  # decisions of each life of the daemon


@dataclass
class Story:
    """What really happened: the numbers of the daemon's decisions in order, and of the stranger's stream after them."""

    daemon: list[int]
    last: int
    said: dict[str, Said]
    after_kill: dict[str, str]
    alive: dict[str, str]


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("snippets")
    (folder / "broker").mkdir()
    broker = Mosquitto(folder / "broker")
    listeners: dict[str, Listener] = {}
    for name, kind in ALL.items():
        (folder / name).mkdir()
        listeners[name] = kind(folder / name, broker)
    for name, one in listeners.items():
        wait_for(lambda one=one: one.ready in broker.log(), 60, f"{name} does not listen")
    try:
        yield tell(folder, broker, listeners)
    finally:
        for name, one in listeners.items():
            one.close()
            print(f"--- {name}\n{one.log()[-3000:]}")
        broker.stop()


def tell(folder, broker: Mosquitto, listeners: dict[str, Listener]) -> Story:
    seen = Subscriber(broker, f"{ROOT}/decision/+", client_id="arbiter")
    (folder / "daemon").mkdir()
    config = belt(SINK.format(url=broker.url)).replace(".any]", ".scratched]").replace('"any"', '"scratched"')
    run = Daemon(folder / "daemon", config)
    try:
        seen.wait_for(lambda m: len(m) > SURPLUS, 60)
        run.kill()
        reached(listeners, lambda said: said.shown and said.shown[-1] == "unknown")
        after_kill = {name: one.said().shown[-1] for name, one in listeners.items()}
        before = len(seen.messages)
        run.start()
        seen.wait_for(lambda m: len(m) > before + SURPLUS, 60)
    finally:
        assert run.stop() == 0
    numbers = list(dict.fromkeys(json.loads(message.payload)["seq"] for message in seen.messages))
    alive = stranger(broker, numbers[-1], listeners)
    seen.close()
    return Story(
        numbers, numbers[-1], {name: one.said() for name, one in listeners.items()}, after_kill, alive
    )


def stranger(broker: Mosquitto, last: int, listeners: dict[str, Listener]) -> dict[str, str]:
    """Goes on in the device's name: a repeat, a hole, a gap that is told, a state; then its heartbeat stops."""
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.connect(broker.host, broker.port)
    client.loop_start()

    def publish(topic: str, payload: bytes, retain: bool = False) -> None:
        client.publish(f"{ROOT}/{topic}", payload, 1, retain).wait_for_publish(5)

    publish("state/scratched", b'{"state": "on"}', retain=True)
    publish("status", b"online", retain=True)
    for count in (b"70001", b"70002"):
        publish("heartbeat", count)
    for seq in (1, 1, 4):
        publish("decision/scratched", decision(last + seq, "z")[1])
    publish("gap", gap(last + 5, last + 7)[1])
    publish("decision/scratched", decision(last + 8, "z")[1])
    reached(listeners, lambda said: said.decisions[-1:] == [last + 8] and said.shown[-1:] == ["on"])
    alive = {name: one.said().shown[-1] for name, one in listeners.items()}
    reached(listeners, lambda said: said.shown[-1:] != ["on"])
    client.disconnect()
    client.loop_stop()
    return alive


def reached(listeners: dict[str, Listener], condition) -> None:
    for name, one in listeners.items():
        wait_for(lambda one=one: condition(one.said()), 40, f"{name} is not there: {one.said()}")


subscribers = pytest.mark.parametrize("name", ALL)


@subscribers
def test_each_decision_of_a_daemon_that_was_killed_is_there_once_and_in_order(story, name):
    said = story.said[name].decisions
    assert said[: len(story.daemon)] == story.daemon == list(range(1, story.last + 1))


@subscribers
def test_a_repeat_is_skipped_and_a_hole_is_named(story, name):
    last = story.last
    assert story.said[name].decisions[len(story.daemon) :] == [last + 1, last + 4, last + 8]
    assert story.said[name].holes == [("missing", last + 2, last + 3), ("dropped", last + 5, last + 7)]


@subscribers
def test_states_are_unknown_when_the_daemon_is_dead_and_when_its_heartbeat_stands_still(story, name):
    assert story.after_kill[name] == "unknown"
    assert "on" in story.said[name].shown[:-2]
    assert (story.alive[name], story.said[name].shown[-1]) == ("on", "unknown")
