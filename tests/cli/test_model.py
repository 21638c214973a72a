"""`edgeinfer model inspect` and `model verify`, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.engine import tiny

MAIN = "import sys; from edgeinfer.cli.main import main; sys.exit(main())"


@pytest.fixture
def folder(tmp_path):
    return tiny.colours(tmp_path / "colours")


def edgeinfer(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", MAIN, "model", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_verify_says_that_all_is_well(folder) -> None:
    done = edgeinfer("verify", folder)
    assert done.returncode == 0, done.stderr
    assert "ok    golden.png: 1 found, 1 expected; worst IoU 1.000" in done.stdout


def test_verify_in_a_child_for_a_program(folder) -> None:
    done = edgeinfer("verify", folder, "--isolate", "--json")
    told = json.loads(done.stdout)
    assert told["passed"] is True
    assert told["golden"][0]["found"] == 1
    assert "child process" in told["runtime"]


def test_verify_says_what_this_device_finds_differently(folder) -> None:
    cv2.imwrite(str(folder / "golden.png"), np.zeros((64, 64, 3), np.uint8))
    done = edgeinfer("verify", tiny.seal(folder))
    assert done.returncode == 1
    assert "WRONG  golden.png: 0 found, 1 expected" in done.stdout
    assert "green 1.000 at [0.250, 0.250, 0.500, 0.500] was expected and not found" in done.stdout


@pytest.mark.parametrize("command", ["verify", "inspect"])
def test_a_changed_file_is_the_users_to_mend(folder, command) -> None:
    (folder / "labels.txt").write_text("x\n")
    done = edgeinfer(command, folder)
    assert done.returncode == 2
    assert "labels.txt: is not the file that manifest.toml was written for" in done.stderr
    assert "Traceback" not in done.stderr


def test_inspect_shows_a_bundle(folder) -> None:
    done = edgeinfer("inspect", folder)
    assert done.returncode == 0, done.stderr
    for told in (
        "colours@sha256:",
        "'picture'  int8  1x8x8x3  scale 0.00392157, zero point -128",
        "1  RESHAPE",
        "3: red, green",
    ):
        assert told in done.stdout


def test_inspect_shows_a_bundle_to_a_program(folder) -> None:
    told = json.loads(edgeinfer("inspect", folder, "--json").stdout)
    assert told["manifest"]["decoder"]["kind"] == "grid"
    assert told["variants"]["cpu"]["inputs"][0]["dtype"] == "int8"
    assert told["labels"] == ["red", "green", "blue"]


def test_inspect_shows_a_file(folder) -> None:
    done = edgeinfer("inspect", folder / "echo.tflite")
    assert done.returncode == 0, done.stderr
    assert "echo.tflite: " in done.stdout


def test_inspect_guesses_the_use_of_a_bare_model_with_the_reason() -> None:
    parts = Path(__file__).parents[2] / "models" / "parts" / "parts_int8.tflite"
    out = edgeinfer("inspect", parts).stdout
    assert "use        decoder grid" in out
    assert "  since    its integers reach from 0 to 1: pixels / 255" in out
    assert "labels     3 from" in out
    assert "nothing in the file keeps them from taking it" in out
    told = json.loads(edgeinfer("inspect", parts, "--json").stdout)
    assert told["guess"]["decoder"] == "grid"
    assert told["metadata"]["labels"] == ["good", "scratched", "hole_missing"]


def test_inspect_tells_what_an_edge_tpu_file_is(tmp_path) -> None:
    out = edgeinfer("inspect", tiny.unknown_op().save(tmp_path / "m.tflite")).stdout
    assert "compiled for an Edge TPU: it runs there and nowhere else" in out
    assert "trial      Encountered unresolved custom op: edgetpu-custom-op" in out


@pytest.mark.parametrize("name", ["none.tflite", "no/such/folder", "colors"])
def test_inspect_of_nothing_is_the_users_mistake(tmp_path, name) -> None:
    done = edgeinfer("inspect", name if name == "colors" else tmp_path / name)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1


def test_inspect_of_a_damaged_file_is_told_in_one_message(tmp_path) -> None:
    (tmp_path / "m.tflite").write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(300))
    done = edgeinfer("inspect", tmp_path / "m.tflite")
    assert done.returncode == 2
    assert "m.tflite" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["person", "parts"])
def test_the_bundles_that_we_ship_prove_themselves(name) -> None:
    done = edgeinfer("verify", name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_number_of_threads_is_refused(folder) -> None:
    done = edgeinfer("verify", folder, "--threads", "0")
    assert done.returncode == 2
    assert "--threads" in done.stderr
