"""The audit log of a real daemon: starts, ends, reloads, versions, refusals; whole after kill -9, on a full disk, by its head."""

from __future__ import annotations

import json
import subprocess
from hashlib import sha256

import pytest

from edgeinfer.audit import verify
from edgeinfer.audit.files import files, readable
from tests.fixtures.disks import fill_up
from tests.line.conftest import EDGEINFER, retained
from tests.line.test_commands import ROOT
from tests.line.test_daemon import JSONL, MQTT, belt
from tests.line.test_model_use import CONFIG, add
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def lines(run, kind: str) -> list[dict]:
    return [dict(line.facts) for line in readable(run.state / "audit") if line.kind == kind]


def edgeinfer(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*EDGEINFER, *map(str, words)], capture_output=True, text=True, check=False)


def test_a_life_with_reload_and_kill_is_told_and_whole(daemon, tmp_path):
    sinks = JSONL.format(path=tmp_path / "out.jsonl")
    run = daemon(belt(sinks))
    run.wait_post("pipeline.inspection", "ok")
    first = run.health()["config"]
    run.write(belt(sinks, score=0.6))
    run.hang_up()
    wait_for(lambda: run.health()["config"] != first)
    wait_for(lambda: run.post("pipeline.inspection").get("decisions", 0) > 3, 30)
    run.kill()
    run.start()
    wait_for(lambda: len(lines(run, "start")) == 2, 30)
    wait_for(lambda: "edgeinfer 0.1.0 decides" in run.log().split("reloaded")[-1], 30)
    assert run.stop() == 0
    starts = lines(run, "start")
    assert [start["before"] for start in starts] == ["first", "died"]
    assert starts[0]["config"] == first != starts[1]["config"] == lines(run, "config")[0]["config"]
    assert starts[0]["bundles"]["parts"].startswith("parts@sha256:")
    assert [(c["command"], c["door"]) for c in lines(run, "command")] == [("reload", "signal")]
    assert lines(run, "stop") == [{"exit_code": 0}]
    assert verify(run.state / "audit").whole


def test_the_batches_add_up_to_what_a_sink_has(daemon, tmp_path):
    out = tmp_path / "out.jsonl"
    run = daemon(belt(JSONL.format(path=out)))
    run.wait_post("pipeline.inspection", "ok")
    wait_for(lambda: run.post("pipeline.inspection").get("decisions", 0) > 5, 30)
    assert run.stop() == 0
    ids = [json.loads(line)["id"] for line in out.read_text().splitlines()]
    [batch] = lines(run, "decisions")
    assert batch["count"] == batch["last"] == len(ids)
    assert batch["ids_sha256"] == sha256("".join(f"{id_}\n" for id_ in ids).encode()).hexdigest()


def test_the_head_that_a_subscriber_has_finds_a_tail_that_was_cut_off(daemon, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, f"{ROOT}/health")
    run = daemon(belt(MQTT.format(url=broker.url)))
    seen.wait_for(lambda s: s and retained(s, "/health")["posts"]["audit"].get("head"))
    run.stop()
    head = retained(seen.messages, "/health")["posts"]["audit"]["head"]
    done = edgeinfer("audit", "verify", "--config", run.path, "--head", head)
    assert done.returncode == 0, done.stdout
    file = files(run.state / "audit")[-1]
    file.write_bytes(b"")
    assert edgeinfer("audit", "verify", "--config", run.path, "--head", head).returncode == 1


def test_a_bundle_that_nobody_trusted_has_signed_is_told(daemon, tmp_path):
    run = daemon(belt(JSONL.format(path=tmp_path / "out.jsonl")))
    run.wait_post("pipeline.inspection", "ok")
    assert edgeinfer("key", "new", tmp_path / "key.pem").returncode == 0
    trust = tmp_path / "trust"
    trust.mkdir()
    (tmp_path / "key.pub.pem").rename(trust / "ours.pem")
    words = ("--trust", trust, "--state", tmp_path / "elsewhere", "--socket", run.state / "control.sock")
    done = edgeinfer("model", "add", "models/parts", *words)
    assert done.returncode == 2
    assert "is not signed" in done.stderr
    [told] = lines(run, "trust")
    assert "is not signed" in told["why"]
    assert "process" in told["who"]


def test_a_daemon_goes_on_when_its_log_has_no_room_and_tells_it_later(daemon, small_disk, tmp_path):
    disk = small_disk(1024)
    run = daemon(belt(JSONL.format(path=tmp_path / "out.jsonl")), state=disk)
    run.wait_post("pipeline.inspection", "ok")
    ballast = fill_up(disk)
    for _ in range(30):
        edgeinfer("snapshot", "belt", "-o", tmp_path / "s.jpg", "--socket", disk / "control.sock")
        if "audit" in run.health()["degraded"]:
            break
    assert "takes no lines" in run.health()["degraded"]["audit"]
    assert run.post("pipeline.inspection")["condition"] == "ok"
    ballast.unlink()
    wait_for(lambda: "audit" not in run.health()["degraded"], 20)
    assert run.stop() == 0
    assert len(lines(run, "command")) >= 1
    assert verify(disk / "audit").whole


def test_another_version_is_used_by_a_command_and_half_an_edit_of_the_config_does_no_harm(
    daemon, mosquitto, commander, tmp_path
):
    broker, state, out = mosquitto(), tmp_path / "state", tmp_path / "decisions.jsonl"
    add(state, 0.5)
    add(state, 0.4)
    sink = MQTT.format(url=broker.url) + 'commands = ["use"]\n'
    run = daemon(CONFIG.format(path=out) + sink, state)
    run.wait_post("pipeline.inspection", "ok", 40)
    wait_for(lambda: f"{ROOT}/command/+ (QoS 1)" in broker.log(), 20)
    run.path.write_text("[source.belt\n")
    room = commander(broker, ROOT)
    said = room.ask("use", "u1", bundle="belt-parts", version="2")
    assert said["ok"], said
    digest = said["result"]["digest"]
    wait_for(lambda: out.exists() and digest in out.read_text(), 40, "a decision of version 2")
    assert digest in json.dumps(lines(run, "config")[-1])
    assert "no version" in room.ask("use", "u2", bundle="belt-parts", version="9")["error"]
    assert "no model of this config" in room.ask("use", "u3", bundle="person", version="1")["error"]
