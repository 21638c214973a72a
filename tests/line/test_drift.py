"""Drift, end to end: a reference made of rendered pictures, and the daemon on a belt that looks otherwise."""

from __future__ import annotations

import json
import shutil
import subprocess

import cv2
import pytest

from edgeinfer.sources.belt import Belt, BeltSettings
from tests.line.conftest import EDGEINFER
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CONFIG = """
device = "press-07"
[source.belt]
kind = "synthetic"
pace = "lockstep"
fps = 2
seed = 5
{world}
[model.parts]
bundle = "parts"
[rule.other]
kind = "drift"
measures = ["brightness", "sharpness"]
above = 0.5
min_samples = 100
window = 400
for_s = 20
[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["other"]
[sink.file]
kind = "jsonl"
path = "{path}"
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """A state folder whose store has `parts` with a reference of 500 pictures, half a second apart."""
    folder = tmp_path_factory.mktemp("drift")
    belt = Belt(BeltSettings())
    (folder / "good").mkdir()
    for n in range(500):
        cv2.imwrite(str(folder / "good" / f"{n:04d}.png"), belt.render(n / 2))
    command = [
        *EDGEINFER,
        "model",
        "reference",
        "parts",
        folder / "good",
        "--state",
        folder / "state",
        "--use",
    ]
    done = subprocess.run(
        [*map(str, command), "--json"], capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["used"]
    assert {"brightness", "sharpness", "classes", "score:good"} <= set(told["measures"])
    return folder / "state"


def decided(daemon, state, tmp_path, world):
    out = tmp_path / "out.jsonl"
    own = shutil.copytree(state, tmp_path / "state")  # the store, and an outbox of its own
    daemon(CONFIG.format(world=world, path=out), state=own)
    wait_for(lambda: out.exists() and out.read_text().endswith("\n"), 60)
    return json.loads(out.read_text().splitlines()[0])


def test_the_belt_as_it_was_is_off(daemon, state, tmp_path):
    assert decided(daemon, state, tmp_path, "")["state"] == "off"


@pytest.mark.parametrize(
    ("world", "measure"), [("light = 0.6", "brightness"), ("blur_px = 4.0", "sharpness")]
)
def test_a_belt_that_darkens_or_blurs_is_on(daemon, state, tmp_path, world, measure):
    on = decided(daemon, state, tmp_path, world)
    assert on["state"] == "on"
    assert on["details"]["value"] > 0.5
    assert on["details"]["samples"] >= 100
    assert on["details"]["measure"] in {measure, "sharpness"}
