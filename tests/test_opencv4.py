"""OpenCV 4 and 5 both work: an unpinned install brings 5, distributions and JetPack have 4."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TARGET = ROOT / ".cache/opencv4"
ROOMS = ["tests/sources", "tests/engine/test_fit.py", "tests/engine/test_predictor.py", "tests/golden"]


@pytest.fixture(scope="module")
def opencv4() -> Path:
    """The newest OpenCV 4 in a folder of its own, beside the environment."""
    if not (TARGET / "cv2").exists():
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--target", str(TARGET)]
        subprocess.run([*pip, "opencv-python-headless>=4.10,<5"], check=True)
    return TARGET


def python(opencv4: Path, *arguments: str) -> subprocess.CompletedProcess:
    env = {**os.environ, "PYTHONPATH": str(opencv4)}
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_everything_that_touches_pictures_works_with_opencv_4(opencv4):
    version = python(opencv4, "-c", "import cv2; print(cv2.__version__)").stdout
    assert version.startswith("4.")
    done = python(opencv4, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *ROOMS)
    assert done.returncode == 0, done.stdout[-3000:]
