"""What is said of boards whose accelerator TFLite does not use."""

from __future__ import annotations

import pytest

from edgeinfer.engine.advice import advice, jetson
from edgeinfer.engine.options import ModelOptions

CPU = ModelOptions(bundle="b")
CORAL = ModelOptions(bundle="b", backends=("edgetpu", "cpu"))


def board(root, name: str):
    (root / "proc/device-tree").mkdir(parents=True)
    (root / "proc/device-tree/model").write_bytes(name.encode() + b"\0")
    return root


def test_on_a_jetson_the_cpu_is_called_the_cpu(tmp_path) -> None:
    root = board(tmp_path, "NVIDIA Jetson Orin Nano Developer Kit")
    (said,) = advice([CPU], root)
    assert "this is a Jetson (NVIDIA Jetson Orin Nano Developer Kit): TFLite models run on its CPU" in said


def test_who_has_chosen_an_accelerator_there_needs_no_advice(tmp_path) -> None:
    assert advice([CPU, CORAL], board(tmp_path, "NVIDIA Jetson Nano")) == []


@pytest.mark.parametrize("name", ["Raspberry Pi 4 Model B Rev 1.4", ""])
def test_on_other_boards_nothing_is_said(tmp_path, name) -> None:
    assert advice([CPU], board(tmp_path, name)) == []


def test_a_jetson_is_known_by_its_release_file_too(tmp_path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/nv_tegra_release").touch()
    assert jetson(tmp_path) == "Jetson"
    assert jetson(tmp_path / "elsewhere") == ""
