"""What a runtime says by itself does not reach the user; what it says of a fault does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.engine.quiet import model
from edgeinfer.engine.runtimes import find_runtime
from tests.engine import tiny

OPEN = """
import sys
from edgeinfer.engine.cpu import Cpu
from edgeinfer.ports import ModelFile
sessions = [Cpu().open(ModelFile(path, "", 1, "-i" in sys.argv)) for path in sys.argv[1:3]]
print(sessions[0].runtime)
"""

FAIL = """
import ctypes, os, sys
from edgeinfer.engine.quiet import _diverted
libc = ctypes.CDLL(None)
def say(text):
    libc.fputs(text, ctypes.c_void_p.in_dll(libc, "stderr"))
with _diverted():
    say(b"INFO: as always\\n")
    say(b"ERROR: look at this\\n")
    os.write(2, b"Python's own\\n")
say(b"INFO: and this comes later\\n")
"""


def python(code: str, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.mark.parametrize("how", [[], ["-i"]])
def test_opening_models_says_nothing_by_itself(tmp_path: Path, how) -> None:
    path = tiny.echo().save(tmp_path / "m.tflite")
    done = python(OPEN, path, path, *how)
    assert "XNNPACK" in done.stdout
    assert done.stderr == ""


def test_nothing_but_information_is_swallowed_and_only_for_that_moment() -> None:
    assert python(FAIL).stderr == "Python's own\nERROR: look at this\nINFO: and this comes later\n"


def test_the_model_that_is_opened_first_is_what_it_is_said_to_be() -> None:
    assert model() == tiny.echo((1, 1)).pack()


def test_the_runtime_takes_it() -> None:
    interpreter = find_runtime().interpreter().Interpreter(model_content=model())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], np.full((1, 1), 3, np.int8))
    interpreter.invoke()
    assert interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).tolist() == [[3]]
