"""The two sides of the line benchmarks as processes, and what they print."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, VIDEO
from benchmarks.pairs import Pairs, alternate
from edgeinfer.testing.broker import broker

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


def _as_it_is(found: dict[str, Any]) -> dict[str, Any]:
    return found


def run_pairs(
    doc: str | None,
    frames: int,
    extra: Sequence[str],
    measure: Callable[[dict[str, Any]], Mapping[str, float]] = _as_it_is,
) -> Pairs:
    """Asks the command line how many pairs, and runs both sides against one mosquitto; `measure` reads a run's figures."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--frames", type=int, default=frames)
    args = parser.parse_args()
    with broker() as own:
        said = ["--video", str(video()), "--port", str(own.port), "--frames", str(args.frames), *extra]
        return alternate(
            lambda: measure(run_side(ours, said)), lambda: measure(run_side(theirs, said)), args.pairs
        )
