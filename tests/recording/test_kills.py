"""kill -9 at any moment: all that was flushed is readable."""

import random
import subprocess
import sys

import pytest

from edgeinfer.events import Frame
from edgeinfer.recording import read

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

RECORD = """
import sys
import numpy as np
from edgeinfer.events import Frame, Instant, Tick
from edgeinfer.recording import Bounds, Recorder, Writer
start = Instant("boot", 0, 1_790_000_000_000_000_000)
writer = Writer(sys.argv[1], "d", start, bounds=Bounds(segment_s=1))
recorder = Recorder(writer, lambda seen: print(seen.key[1], flush=True))
noise = np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
for n in range(1_000_000):
    while len(recorder._waiting) > 100:
        pass
    at = start.later(n * 20_000_000)
    recorder("source.cam", Frame(("cam", n), at, noise) if n % 3 else Tick(("cam", n), at))
"""


def test_what_was_flushed_before_a_kill_is_readable_without_a_hole(tmp_path):
    chance = random.Random(7)
    for run in range(8):
        path = tmp_path / f"rec{run}"
        process = subprocess.Popen(
            [sys.executable, "-c", RECORD.replace("sys.argv[1]", f"__import__('pathlib').Path({str(path)!r})")],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        for _ in range(chance.randrange(5, 400)):
            process.stdout.readline()
        process.kill()
        flushed = [int(line) for line in process.communicate()[0].splitlines() if line.strip().isdigit()]
        told = []
        seen = list(read(path, told.append))
        numbers = [one.key[1] for one in seen]
        assert numbers == list(range(len(numbers)))
        assert numbers[-1] >= max(flushed, default=0) - 1  # the very last number may itself be cut off
        assert all(isinstance(one, Frame) == bool(one.key[1] % 3) for one in seen)
        assert len(told) <= 1
