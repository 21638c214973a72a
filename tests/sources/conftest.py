"""Small videos and pictures for the tests of the sources, and a short way to make a source."""

from __future__ import annotations

from pathlib import Path
from threading import Event

import cv2
import msgspec
import numpy as np
import pytest

from edgeinfer.testing.sources import Reports, source_place

SIZE = (96, 64)  # width, height
COUNT = 20
FPS = 10.0


def picture(n: int) -> np.ndarray:
    """Grey of level 10 n, with a white upper left quarter."""
    pixels = np.full((SIZE[1], SIZE[0], 3), 10 * n, np.uint8)
    pixels[: SIZE[1] // 2, : SIZE[0] // 2] = 255
    return pixels


def level(pixels: np.ndarray) -> int:
    """Which `picture(n)` this is; looks at the lower right corner."""
    return round(float(pixels[-8:, -8:].mean()) / 10)


@pytest.fixture(scope="session")
def video(tmp_path_factory) -> Path:
    """A lossless-ish MJPEG file of `picture(0..19)` at 10 fps."""
    path = tmp_path_factory.mktemp("video") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    for n in range(COUNT):
        writer.write(picture(n))
    writer.release()
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    """Three pictures, whose names are not in the order of their making."""
    for n, name in ((2, "c.png"), (0, "a.jpg"), (1, "b.bmp")):
        cv2.imwrite(str(tmp_path / name), picture(n))
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def make(plugin, reports: Reports | None = None, clock=None, **options):
    """A source from options as the config gives them (`from_` for `from`)."""
    if "from_" in options:
        options["from"] = options.pop("from_")
    options = {key: str(value) if isinstance(value, Path) else value for key, value in options.items()}
    return plugin(msgspec.convert(options, plugin.Options), source_place("cam", clock, reports))


def take(source, count: int, stop: Event | None = None) -> list:
    """The first `count` samples, then closed."""
    found = []
    samples = source.samples(stop or Event())
    for sample in samples:
        found.append(sample)
        if len(found) == count:
            break
    samples.close()
    return found


def watch(source, found: list, after: int, do) -> None:
    """Reads into `found` until the source is over, and does `do()` once so many samples are there."""
    for sample in source.samples(Event()):
        found.append(sample)
        if len(found) == after:
            do()
