"""Pictures that lie on disk, with the moment of each since the start; how fast they come is not decided here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from edgeinfer.errors import InputError
from edgeinfer.ports import Report
from edgeinfer.sources.capture import Capture, open_video
from edgeinfer.sources.origin import Pictures, Video
from edgeinfer.sources.pixels import Pixels

_USUAL_FPS = 25.0  # of a file that does not say


class Recorded(NamedTuple):
    """A picture at `position_ns` after the start; `load` decodes it, or gives None where it is damaged."""

    position_ns: int
    load: Callable[[], Pixels | None]


def recorded(
    origin: Video | Pictures, fps: float | None, report: Report, *, loop: bool
) -> Iterator[Recorded]:
    """All pictures in order, again and again if `loop`; positions only grow.

    Raises:
        InputError: there is nothing that OpenCV can read.
    """
    start_ns = 0
    while True:
        end_ns = start_ns
        passed = (
            _video(origin, report) if isinstance(origin, Video) else _pictures(origin, fps or 1.0, report)
        )
        for picture, period_ns in passed:
            yield Recorded(start_ns + picture.position_ns, picture.load)
            end_ns = start_ns + picture.position_ns + period_ns
        if not loop:
            return
        start_ns = end_ns


def _video(video: Video, report: Report) -> Iterator[tuple[Recorded, int]]:
    capture = open_video(video.path)
    try:
        yield from _grabbed(capture, video.path, report)
    finally:
        capture.release()


def _grabbed(capture: Capture, path: Path, report: Report) -> Iterator[tuple[Recorded, int]]:
    import cv2

    fps, promised = capture.get(cv2.CAP_PROP_FPS), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    period_ns = round(1e9 / (fps if 0.1 <= fps <= 1000.0 else _USUAL_FPS))
    count, position_ns = 0, -period_ns
    while capture.grab():
        # Whole microseconds, so that the same file gives the same moments whatever the last bit of a double.
        told_ns = round(capture.get(cv2.CAP_PROP_POS_MSEC) * 1000) * 1000
        position_ns = told_ns if told_ns > position_ns else position_ns + period_ns
        count += 1
        yield Recorded(position_ns, lambda n=count: _retrieved(capture, path, n, report)), period_ns  # type: ignore[misc]
    if count == 0:
        raise InputError(f"from: {path} is not a video or picture that OpenCV can read: it holds no picture")
    if count < 0.9 * promised:
        report("file", f"{path} is damaged: it promises {promised:.0f} pictures, {count} could be read")


def _retrieved(capture: Capture, path: Path, number: int, report: Report) -> Pixels | None:
    there, pixels = capture.retrieve()
    if not there:
        report("file", f"{path} is damaged: picture {number} cannot be decoded and is left out")
        return None
    return pixels  # type: ignore[no-any-return]


def _pictures(pictures: Pictures, fps: float, report: Report) -> Iterator[tuple[Recorded, int]]:
    period_ns, readable = round(1e9 / fps), 0

    def load(path: Path) -> Pixels | None:
        nonlocal readable
        pixels = _read(path)
        readable += pixels is not None
        if pixels is None:
            report("file", f"{path} is not a picture that OpenCV can read, and is left out")
        return pixels

    for n, path in enumerate(pictures.paths()):
        yield Recorded(n * period_ns, lambda p=path: load(p)), period_ns  # type: ignore[misc]
    if not readable:
        raise InputError(f"from: {pictures.path} is not a video or picture that OpenCV can read")


def _read(path: Path) -> Pixels | None:
    import cv2

    try:
        data = path.read_bytes()
    except OSError:
        return None
    import numpy as np

    # imdecode instead of imread: a missing file is then our business, and no warning goes to stderr.
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
