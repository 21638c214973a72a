"""The facts of a model file."""

from __future__ import annotations

import zipfile

import pytest

from edgeinfer.engine.describe import Describer, describe
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


def test_a_first_invoke_is_told(tmp_path) -> None:
    assert describe(tiny.softmax().save(tmp_path / "m.tflite")).trial == ""
    assert "edgetpu-custom-op" in describe(tiny.unknown_op().save(tmp_path / "m.tflite")).trial


def test_one_child_looks_into_many_files_and_is_replaced_when_one_kills_it(tmp_path) -> None:
    good = tiny.softmax().save(tmp_path / "m.tflite")
    with Describer() as describer:
        describer.facts(good)
        child = describer._process
        describer.facts(good)
        assert describer._process is child
        child.kill()
        child.wait()
        with pytest.raises(
            BundleError, match="the runtime died of SIGKILL while it opened and tried the file"
        ):
            describer.facts(good)
        assert describer.facts(good).operators == {"SOFTMAX": 1}
        assert describer.deaths == 1


def test_a_runtime_that_hangs_is_told(tmp_path) -> None:
    hanging = tmp_path / "python"
    hanging.write_text("#!/bin/sh\nexec sleep 600\n")
    hanging.chmod(0o755)
    with Describer(0.2, hanging) as describer, pytest.raises(BundleError, match="the runtime hangs on it"):
        describer.facts(tiny.softmax().save(tmp_path / "m.tflite"))
