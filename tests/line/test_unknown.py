"""A state after a death: offline at once, and unknown until it is known again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.chaos.sensor import Sensor
from tests.line.conftest import Daemon
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

CONFIG = """
device = "press-07"
[source.motor]
kind = "serial"
port = "{port}"
protocol = "lines"
block_s = 60.0
[source.motor.lines]
channels = ["speed"]
[rule.turns]
kind = "threshold"
value = "speed"
on_above = 0.0
[pipeline.motor]
source = "motor"
rules = ["turns"]
[sink.plant]
kind = "mqtt"
url = "{url}"
"""
ROOT = "edgeinfer/press-07"


def now_at(subscriber, broker, name: str) -> tuple[str, str, str]:
    """Status, state and its reason, as whoever connects now is told."""
    fresh = subscriber(broker, f"{ROOT}/#", client_id=name)
    told = fresh.wait_for(lambda m: {f"{ROOT}/status", f"{ROOT}/state/turns"} <= {one.topic for one in m})
    last = {one.topic: one.payload for one in told}
    body = json.loads(last[f"{ROOT}/state/turns"])
    return last[f"{ROOT}/status"].decode(), body["state"], body["details"].get("reason", "")


def started_again(run: Daemon, state: Path | None = None) -> None:
    """In the same place, or as after a power cut, with another outbox."""
    for path in [] if state is None else run.state.glob("outbox.sqlite*"):
        path.write_bytes((state / path.name).read_bytes())
    run.start()


@pytest.mark.parametrize("what", ["kill", "power cut"])
def test_a_state_is_unknown_after_a_death_until_something_is_seen(
    daemon, tmp_path: Path, mosquitto, subscriber, what: str
):
    broker, port = mosquitto(), tmp_path / "motor"
    sensor = Sensor(port, 1, 20)
    run = daemon(CONFIG.format(port=port, url=broker.url))
    first = subscriber(broker, f"{ROOT}/#", client_id="first")
    first.wait_for(lambda m: sum("/decision/" in one.topic for one in m) > 5)
    sensor.stop()
    if what == "power cut":
        (tmp_path / "cut").mkdir()
        for path in run.state.glob("outbox.sqlite*"):
            (tmp_path / "cut" / path.name).write_bytes(path.read_bytes())
    assert now_at(subscriber, broker, "alive")[0] == "online"
    run.kill()
    first.wait_for(lambda m: [one.payload for one in m if one.topic == f"{ROOT}/status"][-1:] == [b"offline"])
    started_again(run, tmp_path / "cut" if what == "power cut" else None)
    wait_for(lambda: now_at(subscriber, broker, "born")[0] == "online")
    assert now_at(subscriber, broker, "again") == ("online", "unknown", "starting")
    decided = len([one for one in first.messages if "/decision/" in one.topic])
    sensor.close()
    again = Sensor(port, 1, 20)
    first.wait_for(lambda m: len([one for one in m if "/decision/" in one.topic]) > decided + 3, 30)
    assert now_at(subscriber, broker, "known")[1] in ("on", "off")
    assert run.stop() == 0
    assert now_at(subscriber, broker, "stopped") == ("offline", "unknown", "stopped")
    again.close()
