"""Replay: the same input gives the same bytes."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.line.conftest import EDGEINFER

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CONFIG = """
device = "gate"
[source.street]
kind = "camera"
from = "rtsp://10.0.0.7/stream"
[model.person]
bundle = "person"
[rule.people]
kind = "count"
labels = ["person"]
score = 0.5
for_s = 0.0
[pipeline.watch]
source = "street"
model = "person"
rules = ["people"]
[sink.plant]
kind = "mqtt"
url = "mqtt://127.0.0.1:1"
"""


@pytest.fixture(scope="module")
def clip(pedestrian_video, tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    cut = ["ffmpeg", "-v", "error", "-i", str(pedestrian_video), "-frames:v", "60", "-c", "copy", str(path)]
    subprocess.run(cut, check=True)
    return path


def replay(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*EDGEINFER, "replay", *arguments], capture_output=True, text=True, timeout=100, check=False
    )


def test_a_video_gives_the_same_decisions_byte_for_byte(clip, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(CONFIG)
    first, second = (replay(str(clip), str(config)) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    decisions = [json.loads(line) for line in first.stdout.splitlines()]
    assert len(decisions) >= 2
    assert [d["seq"] for d in decisions] == list(range(1, len(decisions) + 1))
    assert decisions[0]["at"].startswith("2020-01-01T00:00:0")
    assert "60 samples replayed" in first.stderr


def test_a_video_that_is_none_is_told(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(CONFIG)
    (tmp_path / "no.avi").write_bytes(b"not a video" * 1000)
    done = replay(str(tmp_path / "no.avi"), str(config))
    assert done.returncode == 2
    assert "no.avi" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_video_is_told(tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(CONFIG)
    done = replay(str(tmp_path / "none.avi"), str(config))
    assert (done.returncode, "none.avi" in done.stderr) == (2, True)


def test_what_was_recorded_replays_to_the_decisions_that_were_made(tmp_path):
    from tests.line.test_daemon import JSONL, belt

    config = tmp_path / "c.toml"
    config.write_text(belt(JSONL.format(path=tmp_path / "unused.jsonl")))
    recorded = subprocess.run(
        [*EDGEINFER, "record", str(config), str(tmp_path / "rec"), "--for", "5"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert recorded.returncode == 0, recorded.stderr
    lines = map(json.loads, (tmp_path / "rec/000001/events.jsonl").read_text().splitlines())
    made = [(e["rule"], e["state"]) for e in lines if e["type"] == "decision" and e["state"] != "unknown"]
    first, second = (replay(str(tmp_path / "rec"), str(config)) for _ in range(2))
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    again = [(d["rule"], d["state"]) for d in map(json.loads, first.stdout.splitlines())]
    assert again == made
    assert not (tmp_path / "unused.jsonl").exists()


NAMES = ("people", "passed", "stay", "busy", "quiet")
FOLLOWING = """
track = {}
rules = ["people", "passed", "stay"]
[rule.passed]
kind = "line"
line = [[0.5, 0.0], [0.5, 1.0]]
anchor = "foot"
[rule.stay]
kind = "zone"
zone = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
[rule.busy]
kind = "all"
rules = ["people", "stay"]
for_s = 0.5
[rule.quiet]
kind = "not"
rule = "busy"
[pipeline.over]
inputs = ["rule:people", "rule:stay"]
rules = ["busy"]
[pipeline.above]
inputs = ["rule:busy"]
rules = ["quiet"]
"""


def test_rules_over_rules_come_to_an_end_and_decide_the_same_each_time(clip, tmp_path):
    config = tmp_path / "c.toml"
    config.write_text(CONFIG.replace('rules = ["people"]\n', FOLLOWING))
    runs = []
    for _ in range(3):
        done = replay(str(clip), str(config))
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        runs.append(
            {
                rule: [(d["id"], d["state"], d["details"]) for d in lines if d["rule"] == rule]
                for rule in NAMES
            }
        )
    assert runs[0] == runs[1] == runs[2]
    assert all(runs[0].values())
