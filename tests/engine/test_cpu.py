"""The CPU backend, in process and in a child, with the runtime that is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgeinfer.engine.cpu import Cpu
from edgeinfer.errors import BundleError, InputError
from edgeinfer.ports import ModelFile
from tests.engine import tiny

LOGITS = np.array([[40, 0, -40, 0]], np.int8)


@pytest.fixture(params=[False, True], ids=["in process", "child"])
def isolate(request) -> bool:
    return request.param


@pytest.fixture
def session(tmp_path, isolate):
    opened = Cpu().open(ModelFile(str(tiny.softmax().save(tmp_path / "m.tflite")), "", 1, isolate))
    yield opened
    opened.close()


def test_a_model_tells_its_tensors(session) -> None:
    (source,), (result,) = session.spec.inputs, session.spec.outputs
    assert (source.name, source.shape, source.dtype, source.zero_point) == ("logits", (1, 4), "int8", 0)
    assert source.scale == pytest.approx(0.1)
    assert (result.name, result.scale, result.zero_point) == ("probabilities", 1 / 256, -128)


def test_a_model_infers(session) -> None:
    for _ in range(3):
        made = session.infer({"logits": LOGITS})["probabilities"]
        assert made.dtype == np.int8
        assert (made[0].astype(float) + 128) / 256 == pytest.approx(
            [0.964, 0.0177, 0.0003, 0.0177], abs=0.005
        )


def test_what_came_back_does_not_keep_the_runtime_from_going_on(session) -> None:
    kept = session.infer({"logits": LOGITS})
    session.infer({"logits": -LOGITS})
    assert kept["probabilities"].shape == (1, 4)


def test_the_session_says_what_runs_it(session, isolate) -> None:
    assert session.runtime.startswith("ai-edge-litert ")
    assert ("child process" in session.runtime) == isolate


@pytest.mark.parametrize(
    "inputs",
    [{}, {"logit": LOGITS}, {"logits": LOGITS.astype(np.uint8)}, {"logits": LOGITS[:, :3]}],
    ids=["nothing", "wrong name", "wrong dtype", "wrong shape"],
)
def test_wrong_inputs_are_refused_and_the_session_goes_on(session, inputs) -> None:
    with pytest.raises(InputError, match="logits|input"):
        session.infer(inputs)
    assert session.infer({"logits": LOGITS})


@pytest.mark.parametrize("size", [0, 20, 100, 400])
def test_a_truncated_model_is_refused(tmp_path, isolate, size) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(tiny.softmax().pack()[:size])
    with pytest.raises(BundleError, match=r"m\.tflite: is damaged or no TFLite model"):
        Cpu().open(ModelFile(str(path), "", 1, isolate))


def test_a_random_file_is_refused(tmp_path, isolate) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(BundleError, match=r"m\.tflite: is damaged or no TFLite model"):
        Cpu().open(ModelFile(str(path), "", 1, isolate))


def test_a_missing_file_is_refused(tmp_path, isolate) -> None:
    with pytest.raises(BundleError, match="there is no such file"):
        Cpu().open(ModelFile(str(tmp_path / "none.tflite"), "", 1, isolate))


def test_a_model_for_an_edge_tpu_is_refused_with_what_to_do(tmp_path, isolate) -> None:
    path = tiny.unknown_op().save(tmp_path / "m_edgetpu.tflite")
    with pytest.raises(BundleError, match="compiled for an Edge TPU and cannot run on the CPU"):
        Cpu().open(ModelFile(str(path), "", 1, isolate))


def test_a_relative_path_means_the_same_in_a_child(tmp_path: Path, monkeypatch, isolate) -> None:
    tiny.softmax().save(tmp_path / "m.tflite")
    monkeypatch.chdir(tmp_path)
    Cpu().open(ModelFile("m.tflite", "", 1, isolate)).close()
