"""The daemon as a process: reload, health, a second one, brokers and cameras that do not let it in."""

from __future__ import annotations

import os
import socket
import subprocess

import pytest

from edgeinfer.commands.door import ask
from edgeinfer.errors import InputError
from tests.fixtures.brokers import make_certificates, password_file
from tests.fixtures.disks import fill_up
from tests.line.conftest import EDGEINFER, retained, states
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

BELT = """
device = "press-07"
[source.belt]
kind = "synthetic"
fps = 10
[model.parts]
bundle = "parts"
[rule.parts]
kind = "count"
labels = ["good", "scratched", "hole_missing"]
score = 0.5
for_s = 0.0
[rule.any]
kind = "presence"
label = ["good", "scratched", "hole_missing"]
score = {score}
for_s = 0.0
clear_s = 0.0
[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["parts", "any"]
{sinks}
"""
JSONL = '[sink.file]\nkind = "jsonl"\npath = "{path}"\n'
MQTT = '[sink.plant]\nkind = "mqtt"\nurl = "{url}"\n'


def belt(sinks: str, score: float = 0.5) -> str:
    return BELT.format(sinks=sinks, score=score)


def test_it_answers_how_it_is_and_decides(daemon, tmp_path):
    run = daemon(belt(JSONL.format(path=tmp_path / "out.jsonl")))
    run.wait_post("pipeline.inspection", "ok")
    wait_for(lambda: run.post("pipeline.inspection").get("decisions", 0) > 3)
    health = run.health()
    assert health["condition"] == "ok"
    assert health["posts"]["pipeline.inspection"]["latency_ms"]["invoke"]["n"] > 3
    assert run.stop() == 0
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) > 3


def test_sighup_applies_what_changed_and_keeps_the_old_config_on_error(daemon, tmp_path):
    sinks = JSONL.format(path=tmp_path / "out.jsonl")
    run = daemon(belt(sinks))
    run.wait_post("pipeline.inspection", "ok")
    first = run.health()["config"]
    opened = run.post("source.belt")["opened"]

    run.write(belt(sinks, score=0.6))
    run.hang_up()
    wait_for(lambda: run.health()["config"] != first)
    second = run.health()["config"]
    assert run.post("source.belt")["opened"] == opened  # the source did not notice
    run.wait_post("pipeline.inspection", "ok")

    run.write(belt(sinks, score=0.7).replace('source = "belt"', 'source = "bett"'))
    run.hang_up()
    wait_for(lambda: "config" in run.health()["degraded"])
    assert "did you mean 'belt'" in run.health()["degraded"]["config"]
    assert run.health()["config"] == second
    with pytest.raises(InputError, match="belt"):
        ask(run.state / "control.sock", {"command": "reload"})

    run.write(belt(sinks, score=0.7))
    assert ask(run.state / "control.sock", {"command": "reload"})["config"] != second
    assert run.health()["condition"] == "ok"
    assert run.stop() == 0


def test_a_rule_that_leaves_the_config_leaves_no_state_behind(daemon, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker)
    run = daemon(belt(MQTT.format(url=broker.url)))
    seen.wait_for(lambda s: states(s, "any"))
    without = belt(MQTT.format(url=broker.url)).replace('rules = ["parts", "any"]', 'rules = ["parts"]')
    run.write(without)
    run.hang_up()
    seen.wait_for(lambda s: [m for m in s if m.topic.endswith("/state/any")][-1].payload == b"")


def test_a_second_daemon_on_the_same_state_is_refused(daemon, tmp_path):
    run = daemon(belt(JSONL.format(path=tmp_path / "out.jsonl")))
    run.wait_post("pipeline.inspection", "ok")
    second = subprocess.run(
        [*EDGEINFER, "run", str(run.path)], capture_output=True, text=True, timeout=30, check=False
    )
    assert second.returncode == 1
    assert f"process {run.process.pid}" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_broker_that_refuses_the_password_is_told_and_nothing_is_lost(daemon, mosquitto, tmp_path):
    passwords = password_file(tmp_path, {"press": "right"})
    broker = mosquitto(f"allow_anonymous false\npassword_file {passwords}")
    credentials = tmp_path / "credentials"
    credentials.write_text("press\nwrong\n")
    credentials.chmod(0o600)
    sink = MQTT.format(url=broker.url) + f'credentials_file = "{credentials}"\n'
    run = daemon(belt(sink))
    run.wait_post("sink.plant", "degraded")
    wait_for(lambda: str(credentials) in run.health()["degraded"]["sink.plant"])
    wait_for(lambda: run.health()["outbox"]["plant"] > 3)
    assert run.stop() == 0


def test_a_certificate_for_another_host_is_told(daemon, mosquitto, tmp_path):
    certificates = make_certificates(tmp_path / "tls", names="DNS:other.plant.lan")
    broker = mosquitto("", certificates.listener)
    sink = MQTT.format(url=broker.url.replace("mqtt://", "mqtts://")) + f'ca = "{certificates.ca}"\n'
    run = daemon(belt(sink))
    run.wait_post("sink.plant", "degraded")
    wait_for(lambda: "certificate" in run.health()["degraded"]["sink.plant"])
    assert run.stop() == 0


def test_a_camera_path_that_is_no_camera_degrades_and_stops_nothing_else(daemon, tmp_path):
    extra = """
        [source.broken]
        kind = "camera"
        from = "/dev/null"
        block_s = 1.0
        [rule.other]
        kind = "presence"
        label = "good"
        score = 0.5
        [pipeline.other]
        source = "broken"
        model = "parts"
        rules = ["other"]
    """
    run = daemon(belt(JSONL.format(path=tmp_path / "out.jsonl")) + extra)
    run.wait_post("source.broken", "degraded")
    assert "/dev/null" in run.health()["degraded"]["source.broken"]
    run.wait_post("pipeline.inspection", "ok")
    wait_for(lambda: run.post("pipeline.inspection").get("decisions", 0) > 3)
    assert run.stop() == 0


def test_systemd_hears_ready_and_stopping(daemon, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        path = str(tmp_path / "notify")
        sock.bind(path)
        sock.settimeout(20)
        (tmp_path / "c.toml").write_text(
            belt(JSONL.format(path=tmp_path / "o")) + f'[state]\ndir = "{tmp_path}/state"\n'
        )
        env = {**os.environ, "NOTIFY_SOCKET": path, "WATCHDOG_USEC": "2000000"}
        process = subprocess.Popen(
            [*EDGEINFER, "run", str(tmp_path / "c.toml")], env=env, stderr=subprocess.DEVNULL
        )
        words = [sock.recv(4096).decode()]
        assert words[0].startswith("READY=1")
        while "WATCHDOG=1" not in words:
            words.append(sock.recv(4096).decode())
        process.terminate()
        while not words[-1].startswith("STOPPING=1"):
            words.append(sock.recv(4096).decode())
        assert process.wait(8) == 0


def test_a_dead_sink_does_not_hold_back_another(daemon, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker)
    dead = '[sink.dead]\nkind = "mqtt"\nurl = "mqtt://127.0.0.1:1"\n'
    run = daemon(belt(MQTT.format(url=broker.url) + dead))
    seen.wait_for(lambda s: len(states(s, "parts")) > 3)
    assert run.health()["outbox"]["dead"] > 3
    assert run.stop() == 0
    assert retained(seen.messages, "/status") == "offline"


def test_a_daemon_that_starts_on_a_full_disk_decides_and_says_so(daemon, small_disk, mosquitto, subscriber):
    broker, disk = mosquitto(), small_disk(512)
    fill_up(disk)
    seen = subscriber(broker)
    run = daemon(belt(MQTT.format(url=broker.url)), state=disk)
    seen.wait_for(lambda s: len(states(s, "parts")) > 3)
    assert "disk" in run.health()["posts"]["outbox"]["notes"]
    (disk / "ballast").unlink()
    wait_for(lambda: "outbox" not in run.health()["degraded"], what="the disk is free again")
    assert run.stop() == 0
