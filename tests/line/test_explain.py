"""`explain` and the event recorder beside a daemon that runs: from a decision at the broker to its picture."""

from __future__ import annotations

import json
import subprocess

import cv2
import pytest

from edgeinfer.recording import kinds
from tests.line.conftest import EDGEINFER
from tests.line.test_daemon import JSONL, MQTT, belt
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

KEEP = 'rules = ["parts", "any"]\nkeep = { rules = ["parts"], before_s = 1, after_s = 1, thumbnail = true }'


def edgeinfer(*arguments):
    return subprocess.run(
        [*EDGEINFER, *map(str, arguments)], capture_output=True, text=True, timeout=100, check=False
    )


def kept(text):
    return text.replace('rules = ["parts", "any"]', KEEP)


def decisions(path, rule):
    lines = path.read_text().splitlines() if path.exists() else []
    return [d for d in map(json.loads, lines) if d["rule"] == rule and d["state"] != "unknown"]


def test_a_decision_is_explained_while_the_daemon_runs_and_after_it_has_stopped(daemon, tmp_path):
    out = tmp_path / "out.jsonl"
    run = daemon(kept(belt(JSONL.format(path=out))))
    wait_for(lambda: len(decisions(out, "parts")) >= 2 and decisions(out, "any"), 30)
    kept_id, other_id = decisions(out, "parts")[1]["id"], decisions(out, "any")[0]["id"]
    wait_for(lambda: list((run.state / "events").glob(f"*/decisions/{kept_id}.json")), 20)
    picture = tmp_path / "why.jpg"
    done = edgeinfer("explain", kept_id, run.path, "--picture", picture)
    assert done.returncode == 0, done.stderr
    for part in (
        "parts is",
        "findings (",
        "states before and after",
        "invoke",
        "model    parts@sha256:",
        "score",
    ):
        assert part in done.stdout
    assert cv2.imread(str(picture)).shape == (360, 480, 3)

    other = json.loads(edgeinfer("explain", other_id, "--state", run.state, "--json").stdout)
    assert other["findings"]
    assert other["rule"]["kind"] == "presence"
    assert "picture: not kept" in other["missing"][0]
    done = edgeinfer("explain", other_id, run.path, "--picture", picture)
    assert (done.returncode, "picture: not kept" in done.stderr) == (1, True)

    assert run.stop() == 0
    done = edgeinfer("explain", other_id, run.path)
    assert done.returncode == 0, done.stderr
    assert "not known: findings, states and stage times" in done.stdout
    assert edgeinfer("explain", kept_id, run.path).returncode == 0


def test_a_decision_that_nobody_made_is_told(daemon, tmp_path):
    run = daemon(belt(JSONL.format(path=tmp_path / "out.jsonl")))
    run.wait_post("pipeline.inspection", "ok")
    done = edgeinfer("explain", "a" * 16, run.path)
    assert (done.returncode, "nothing is known of the decision" in done.stderr) == (1, True)
    assert edgeinfer("explain", "abc", run.path).returncode == 2
    assert edgeinfer("explain", "a" * 16, "--state", tmp_path / "none").returncode == 2


def test_an_event_is_a_recording_that_replay_takes(daemon, tmp_path):
    out = tmp_path / "out.jsonl"
    run = daemon(kept(belt(JSONL.format(path=out))))
    wait_for(lambda: len(decisions(out, "parts")) >= 3, 30)
    assert run.stop() == 0
    event = max((run.state / "events").glob("*-*"))
    assert kinds(event)["belt"]["frame"] >= 3
    done = edgeinfer("replay", event, run.path)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_a_thumbnail_comes_to_the_broker_and_health_counts_what_is_kept(daemon, mosquitto, subscriber):
    broker = mosquitto()
    client = subscriber(broker, "edgeinfer/#")
    run = daemon(kept(belt(MQTT.format(url=broker.url))))
    wait_for(lambda: any(m.topic == "edgeinfer/press-07/thumbnail/parts" for m in client.messages), 30)
    (first, *_) = [m for m in client.messages if m.topic == "edgeinfer/press-07/thumbnail/parts"]
    assert first.payload[:2] == b"\xff\xd8"
    assert len(first.payload) <= 10_000
    assert not first.retain
    wait_for(lambda: run.post("events").get("kept", 0) > 0, 30)
    assert run.post("events")["bytes"] > 0
