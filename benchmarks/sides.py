"""The two sides of the line benchmarks as processes, and what they print."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, VIDEO

ours, theirs = "benchmarks.ours", "benchmarks.handwritten"


def video() -> Path:
    """The pedestrian video; fetched once."""
    if not VIDEO.exists():
        subprocess.run([ROOT / "scripts/fetch-video"], check=True)
    return VIDEO


def run_side(side: str, arguments: Sequence[str]) -> dict[str, Any]:
    """Runs one side to its end; its last line of output is its figures, as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", side, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{side} failed:\n{done.stderr}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found
