"""A running daemon follows `model use` and `model rollback`: the decisions name the version that made them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from edgeinfer.store import find_bundle, open_bundle
from tests.line.conftest import EDGEINFER
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]

CONFIG = """
device = "press-07"
[source.belt]
kind = "synthetic"
fps = 10
[model.parts]
bundle = "belt-parts"
[rule.parts-in-view]
kind = "count"
labels = ["good", "scratched", "hole_missing"]
for_s = 0.1
[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["parts-in-view"]
[sink.file]
kind = "jsonl"
path = "{path}"
"""


def model(*words: object) -> str:
    done = subprocess.run(
        [*EDGEINFER, "model", *map(str, words)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def add(state: Path, score: float) -> None:
    parts = ROOT / "models" / "parts"
    said = ("--labels", parts / "labels.txt", "--decoder", "grid", "--set", "cells=centroid")
    said += (
        "--set",
        "box_size=[0.165,0.22]",
        "--golden",
        parts / "golden",
        "--name",
        "belt-parts",
        "--set",
        f"score={score}",
    )
    model("add", parts / "parts_int8.tflite", *said, "--state", state)


def test_the_running_daemon_takes_another_version_up_and_goes_back(daemon, tmp_path: Path) -> None:
    state, path = tmp_path / "state", tmp_path / "decisions.jsonl"
    add(state, 0.5)
    add(state, 0.4)
    run = daemon(CONFIG.format(path=path), state)
    run.wait_post("pipeline.inspection", "ok")
    door = ("--state", state, "--socket", state / "control.sock")

    def models() -> list[str]:
        return [json.loads(line)["model"] for line in path.read_text().splitlines()] if path.exists() else []

    first, second = (open_bundle(find_bundle(f"belt-parts@{v}", state)).identity for v in (1, 2))
    wait_for(lambda: first in models(), 30, "a decision of version 1")
    assert second not in models()
    assert "the daemon runs it now" in model("use", "belt-parts", "2", *door)
    wait_for(lambda: second in models(), 30, "a decision of version 2")
    assert "the daemon runs it now" in model("rollback", "belt-parts", *door)
    wait_for(lambda: models()[-1] == first, 30, "a decision of version 1 again")
    run.stop()
    assert "no daemon runs here" in model("use", "belt-parts", "2", *door)
