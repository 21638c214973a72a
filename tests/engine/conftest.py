"""Fixtures of the engine's tests: tiny models, and a venv with the older runtime."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine import tiny

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def bundle_folder(tmp_path: Path) -> Path:
    return tiny.colours(tmp_path / "colours")


@pytest.fixture(scope="session")
def old_runtime() -> Path:
    """A Python that has tflite-runtime and no LiteRT; made once, in .cache/venv-tflite."""
    if sys.version_info >= (3, 12):
        pytest.skip(
            "tflite-runtime has no wheel for Python 3.12 and later: this part of the tests needs 3.10 or 3.11"
        )
    venv = ROOT / ".cache" / "venv-tflite"
    python = venv / "bin" / "python"
    venv.parent.mkdir(exist_ok=True)
    with (venv.parent / "venv-tflite.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test workers may want it at once
        if not (venv / "ready").exists():
            _make(venv)
    return python


def _make(venv: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    wanted = ["tflite-runtime==2.14.0", "numpy<2", "opencv-python-headless<5", "msgspec"]
    subprocess.run([str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", *wanted], check=True)
    (venv / "ready").touch()
