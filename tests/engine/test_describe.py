"""The facts of a model file."""

from __future__ import annotations

import zipfile

import pytest

from edgeinfer.engine.describe import describe
from edgeinfer.errors import BundleError
from tests.engine import tiny


def test_tensors_and_operators_are_told(tmp_path) -> None:
    facts = describe(tiny.softmax().save(tmp_path / "m.tflite"))
    assert facts.operators == {"SOFTMAX": 1}
    assert facts.spec.inputs[0].name == "logits"
    assert facts.size_bytes == (tmp_path / "m.tflite").stat().st_size
    assert facts.embedded == {}


def test_a_model_that_cannot_run_here_is_told_as_well(tmp_path) -> None:
    assert describe(tiny.unknown_op().save(tmp_path / "m.tflite")).operators == {"edgetpu-custom-op": 1}


def test_labels_inside_of_the_file_are_told(tmp_path) -> None:
    path = tiny.softmax().save(tmp_path / "m.tflite")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", "cat\ndog")
    assert describe(path).embedded == {"labels.txt": ["cat", "dog"]}


def test_a_damaged_file_is_told(tmp_path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(tiny.softmax().pack()[:200])
    with pytest.raises(BundleError, match="is damaged or no TFLite model"):
        describe(path)


def test_a_missing_file_is_told(tmp_path) -> None:
    with pytest.raises(BundleError, match="there is no such file"):
        describe(tmp_path / "m.tflite")
