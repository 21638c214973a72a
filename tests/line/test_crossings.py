"""The pedestrian video: people who cross a line, counted by hand, by eye, against the model, the tracker and the rule."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from edgeinfer import store
from edgeinfer.evaluate.truth import Timeline, match, read_truth
from edgeinfer.wire.times import unix_s
from tests.line.conftest import EDGEINFER
from tests.samples import at, frame

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TRUTH = Path(__file__).parents[1] / "recordings/crossings.csv"
START_S = unix_s("2020-01-01T00:00:00Z")  # when a video begins
CONFIG = Path(__file__).parents[1] / "recordings/crossings.toml"


@pytest.fixture(scope="module")
def decisions(pedestrian_video, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crossings")
    shutil.copytree(store.find_bundle("person"), folder / "person-tracked")
    manifest = folder / "person-tracked/manifest.toml"
    text = manifest.read_text().replace("\nscore = 0.5\niou = 0.5\n", "\nscore = 0.1\niou = 0.6\n")
    assert text != manifest.read_text()
    manifest.write_text(text)
    shutil.copy(CONFIG, folder)
    command = [*EDGEINFER, "replay", str(pedestrian_video), str(folder / CONFIG.name)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    return [d for d in map(json.loads, done.stdout.splitlines()) if "direction" in d["details"]]


@pytest.fixture(scope="module")
def truth():
    video = Timeline({"street": [frame(n, "street", n / 10) for n in range(795)]})
    return read_truth(TRUTH, video, {"crossed": "street"}, None)


def test_as_many_crossings_are_counted_as_by_hand_within_5_percent(decisions, truth):
    assert len(truth) == 32
    assert abs(len(decisions) - len(truth)) <= 0.05 * len(truth)


def test_nearly_each_crossing_is_one_that_was_seen_by_hand(decisions, truth):
    told = [at(unix_s(d["at"]) - START_S).unix_ns for d in decisions]
    found = match([h.at_ns for h in truth], told, 1.2)
    assert (
        found.right >= 29
    )  # 30 of 32 where it was measured: two are hidden behind somebody, one is counted twice
    assert found.wrong <= 2


def test_the_directions_are_those_that_were_seen_by_hand(decisions):
    rows = [line.split(",") for line in TRUTH.read_text().splitlines() if line[0].isdigit()]
    forward = sum(d["details"]["direction"] == "forward" for d in decisions)
    assert abs(forward - sum(way == "right" for *_, way in rows)) <= 2
