"""A config that changes while decisions come fast: nothing is lost, and what did not change does not notice."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeinfer.commands.door import ask
from tests.chaos.sensor import Sensor
from tests.chaos.witness import Stream, of_file
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

RELOADS = 20
LINES_S = 100.0  # of each of two sensors

SIDE = """
[source.{side}]
kind = "serial"
port = "{port}"
protocol = "lines"
[source.{side}.lines]
channels = ["{side}"]
[rule.{side}]
kind = "threshold"
value = "{side}"
on_above = {bound}
off_below = 0.0
[pipeline.{side}]
source = "{side}"
rules = ["{side}"]
"""
SINKS = '[sink.file]\nkind = "jsonl"\npath = "{file}"\n[sink.plant]\nkind = "mqtt"\nurl = "{url}"\n'


def config(sensors: dict[str, Sensor], sinks: str, bound: float) -> str:
    bounds = {"steady": 0.0, "changed": bound}
    sides = [SIDE.format(side=side, port=one.port, bound=bounds[side]) for side, one in sensors.items()]
    return "\n".join(['device = "press-07"', *sides, sinks])


def numbers(stream: Stream, rule: str) -> list[int]:
    """The lines that its decisions are about, in order of `seq`; 0: unknown."""
    return [abs(stream.values[seq]) for seq in sorted(stream.ids) if stream.rules[seq] == rule]


@pytest.mark.parametrize("by", ["signal", "socket"])
def test_twenty_reloads_under_load_lose_nothing_and_others_do_not_notice(
    daemon, tmp_path: Path, mosquitto, subscriber, by: str
):
    broker = mosquitto()
    seen = subscriber(broker, "edgeinfer/press-07/decision/#").messages
    sensors = {side: Sensor(tmp_path / side, 1, LINES_S) for side in ("steady", "changed")}
    sinks = SINKS.format(file=tmp_path / "out.jsonl", url=broker.url)
    run = daemon(config(sensors, sinks, 0.0))
    run.wait_post("sink.plant", "ok")
    wait_for(lambda: run.post("pipeline.changed").get("decisions", 0) > 0)
    for n in range(RELOADS):
        before = run.health()["config"]
        decided = run.post("pipeline.steady").get("decisions", 0)
        run.write(config(sensors, sinks, 1.0 - n % 2))
        if by == "signal":
            run.hang_up()
            wait_for(lambda was=before: run.health()["config"] != was)
        else:
            ask(run.state / "control.sock", {"command": "reload"})
        wait_for(lambda n=decided: run.post("pipeline.steady").get("decisions", 0) > n + 20)
        wait_for(lambda: run.post("pipeline.changed").get("decisions", 0) > 0)
    posts = run.health()["posts"]
    for sensor in sensors.values():
        sensor.stop()
    assert run.stop() == 0

    assert [posts[f"source.{side}"]["opened"] for side in sensors] == [1, 1]  # no source noticed
    assert posts["sink.plant"].get("reconnects", 0) == 0  # and no sink
    file, plant = of_file(tmp_path / "out.jsonl"), Stream()
    for message in seen:
        plant.take(message.payload)
    assert sorted(file.ids) == list(range(1, max(file.ids) + 1))
    assert plant.ids == file.ids
    assert (plant.steps, plant.strange, plant.repeats) == ([], [], 0)
    steady = numbers(file, "steady")
    assert steady[-1] == 0  # the ordered stop
    assert steady[:-1] == list(range(steady[0], steady[0] + len(steady) - 1))
    assert numbers(file, "changed").count(0) == RELOADS + 1  # each restart is told, and the ordered stop
    for sensor in sensors.values():
        sensor.close()
