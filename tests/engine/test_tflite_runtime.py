"""The older runtime: used where LiteRT is absent, always in a child, and never the death of its parent."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.engine.opening import Opening
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import open_predictor
from edgeinfer.events import Frame, Instant
from edgeinfer.store import open_bundle
from tests.engine import tiny

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import json, sys
import numpy as np
from edgeinfer.engine.cpu import Cpu
from edgeinfer.engine.runtimes import runtime_name
from edgeinfer.errors import EdgeinferError
from edgeinfer.ports import ModelFile
told = {"name": runtime_name()}
try:
    session = Cpu().open(ModelFile(sys.argv[1], ""))
    told["runtime"] = session.runtime
    outputs = session.infer({"logits": np.array([[40, 0, -40, 0]], np.int8)})
    told["outputs"] = {name: values.tolist() for name, values in outputs.items()}
    session.close()
except EdgeinferError as error:
    told["error"] = f"{type(error).__name__}: {error}"
print(json.dumps(told))
"""


def run(python: Path, model: Path) -> dict:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [str(python), "-c", SCRIPT, str(model)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_infers_in_a_child_process(old_runtime, tmp_path) -> None:
    told = run(old_runtime, tiny.softmax().save(tmp_path / "m.tflite"))
    assert told["name"] == "tflite-runtime 2.14.0 (in a child process)"
    assert told["runtime"].endswith("child process")
    assert np.argmax(told["outputs"]["probabilities"]) == 0


@pytest.mark.parametrize("share", [0.02, 0.3, 0.9])
def test_a_truncated_model_kills_only_the_child(old_runtime, tmp_path, share) -> None:
    whole = (ROOT / "models" / "person" / "person_int8.tflite").read_bytes()
    path = tmp_path / "m.tflite"
    path.write_bytes(whole[: int(len(whole) * share)])
    assert run(old_runtime, path)["error"].startswith("BundleError: ")


def test_a_random_file_is_refused(old_runtime, tmp_path) -> None:
    path = tmp_path / "m.tflite"
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    assert run(old_runtime, path)["error"].startswith("BundleError: ")


def test_a_child_may_run_it_under_its_own_python_while_the_daemon_has_litert(
    old_runtime, accelerator
) -> None:
    """A Coral keeps the runtime that its library was built for."""
    options = ModelOptions(
        bundle="b", backends=("external", "cpu"), python=str(old_runtime), external=accelerator.table()
    )
    predictor = open_predictor(open_bundle(accelerator.bundle), options, Opening(patience_s=60.0))
    found = predictor.predict(Frame(("cam", 0), Instant("b", 0, 0), tiny.picture())).findings
    told = predictor.runtime
    predictor.close()
    assert told.startswith(
        "tflite-runtime 2.14.0, libdelegate.so (1 of 1 operators), child process, Python 3."
    )
    assert [f.label for f in found] == ["green"]
