"""`edgeinfer model reference`, and a line that drifts: rendered belts, our own model, replayed through the whole line."""

import json
from pathlib import Path

import cv2
import pytest

from edgeinfer.cli.main import main
from edgeinfer.sources.belt import Belt, BeltSettings

pytestmark = pytest.mark.slow

CONFIG = """
device = "cell"
[state]
dir = "{state}"
[source.belt]
kind = "camera"
from = "{pictures}"
pace = "lockstep"
[model.parts]
bundle = "parts"
[rule.drifted]
kind = "drift"
memory = 300
[pipeline.p]
source = "belt"
model = "parts"
measure = ["brightness", "sharpness"]
rules = ["drifted"]
[sink.out]
kind = "console"
"""


def film(path: Path, *parts: tuple[BeltSettings, int]) -> Path:
    """A video of belts, one after the other; a picture each 0.7 s of the belt, so that few show the same part."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (480, 360))
    for settings, pictures in parts:
        belt = Belt(settings)
        for n in range(pictures):
            writer.write(belt.render(n * 0.7))
    writer.release()
    return path


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store whose `parts` knows a good day."""
    state = tmp_path_factory.mktemp("state")
    day = film(state / "day.avi", (BeltSettings(seed=1), 1200))
    parts = Path(__file__).parents[2] / "models/parts"
    assert main(["model", "add", str(parts), "--state", str(state)]) == 0
    assert main(["model", "reference", "parts", str(day), "--state", str(state), "--use"]) == 0
    return state


def decided(store, tmp_path, capfd, *parts) -> list[dict]:
    video = film(tmp_path / "film.avi", *parts)
    config = tmp_path / "c.toml"
    config.write_text(CONFIG.format(state=store, pictures=video))
    capfd.readouterr()
    assert main(["replay", str(video), str(config)]) == 0
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_a_belt_in_less_light_has_drifted_and_an_ordinary_one_has_not(store, tmp_path, capfd):
    found = decided(
        store, tmp_path, capfd, (BeltSettings(seed=2), 900), (BeltSettings(seed=2, light=0.6), 500)
    )
    assert [d["state"] for d in found] == ["off", "on"]
    assert found[1]["details"]["measure"] in {
        "value:brightness",
        "value:sharpness",
    }  # what is dark has less contrast


def test_a_lens_out_of_focus_has_drifted(store, tmp_path, capfd):
    found = decided(
        store, tmp_path, capfd, (BeltSettings(seed=3), 900), (BeltSettings(seed=3, blur_px=3.0), 500)
    )
    assert [d["state"] for d in found] == ["off", "on"]


def test_too_few_pictures_are_refused(store, tmp_path, capfd):
    few = film(tmp_path / "few.avi", (BeltSettings(), 50))
    assert main(["model", "reference", "parts", str(few), "--state", str(store)]) == 2
    assert "at least 200 pictures, found 50" in capfd.readouterr().err


def test_check_says_when_the_bundle_has_no_reference(tmp_path, capfd):
    config = tmp_path / "c.toml"
    config.write_text(CONFIG.format(state=tmp_path, pictures=tmp_path / "x.avi"))
    assert main(["check", str(config)]) == 2
    assert "edgeinfer model reference" in capfd.readouterr().err
