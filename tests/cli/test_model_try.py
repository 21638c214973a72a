"""`edgeinfer model try`: pictures in, findings and drawn pictures out, without a config."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from edgeinfer.cli.main import main
from edgeinfer.drawing import drawn, words
from edgeinfer.events import Detection, Keypoints, Region, Score, Value
from edgeinfer.geometry import Box
from tests.engine import tiny


@pytest.fixture
def pictures(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    cv2.imwrite(str(folder / "a.png"), tiny.picture())
    cv2.imwrite(str(folder / "b.png"), np.zeros((64, 64, 3), np.uint8))
    return folder


def test_a_bundle_on_a_folder_of_pictures(tmp_path, pictures, capfd) -> None:
    folder = tiny.colours(tmp_path / "colours")
    assert main(["model", "try", str(folder), str(pictures), "--save", str(tmp_path / "out")]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert lines == [
        f"{pictures / 'a.png'}: green 1.000 at [0.250, 0.250, 0.500, 0.500]",
        f"{pictures / 'b.png'}: nothing",
    ]
    saved = [cv2.imread(str(tmp_path / "out" / f"0000{i}.jpg")) for i in (0, 1)]
    assert np.abs(saved[0].astype(int) - tiny.picture()).max() > 100
    assert saved[1].max() < 20


def test_a_bare_model_needs_no_bundle(tmp_path, pictures, capfd) -> None:
    (tmp_path / "labels.txt").write_text("red\ngreen\nblue\n")
    model = tiny.echo().save(tmp_path / "m.tflite")
    said = ["--labels", str(tmp_path / "labels.txt"), "--decoder", "grid", "--set", "activation=none"]
    said += ["--set", "background=false", "--set", "cells=box", "--json", "--count", "1"]
    assert main(["model", "try", str(model), str(pictures), *said]) == 0
    (told,) = map(json.loads, capfd.readouterr().out.splitlines())
    assert told["findings"][0]["label"] == "green"
    assert told["findings"][0]["type"] == "detection"
    assert told["timings_ns"]["invoke"] > 0


def test_a_video_is_read_to_its_end(tmp_path, capfd) -> None:
    folder = tiny.colours(tmp_path / "colours")
    writer = cv2.VideoWriter(str(tmp_path / "v.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 5, (64, 64))
    for _ in range(4):
        writer.write(tiny.picture())
    writer.release()
    assert main(["model", "try", str(folder), str(tmp_path / "v.avi")]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert [line.partition(":")[0].strip() for line in lines] == ["0.00 s", "0.20 s", "0.40 s", "0.60 s"]


@pytest.mark.parametrize("where", ["none.png", "http:/x"])
def test_pictures_that_are_not_there_are_the_users_mistake(tmp_path, capfd, where) -> None:
    assert main(["model", "try", str(tiny.colours(tmp_path / "colours")), where]) == 2
    assert "Traceback" not in capfd.readouterr().err


def test_every_kind_of_finding_is_drawn_and_told() -> None:
    black = np.zeros((100, 100, 3), np.uint8)
    found = [
        Detection("a", 0.5, Box(0.2, 0.2, 0.6, 0.6)),
        Keypoints("b", 0.5, ((0.1, 0.1, 0.9),)),
        Region("c", 0.5, ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9))),
        Score("d", 0.5),
        Value("e", 1.25, "bar"),
    ]
    for finding in found:
        assert drawn(black, [finding]).any()
        assert finding.label in words(finding)
    assert not black.any()
    assert words(found[4]) == "e 1.25 bar"
