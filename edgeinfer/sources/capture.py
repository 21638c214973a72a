"""Open an OpenCV capture so that it cannot block for ever; what is read from it is not decided here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from edgeinfer.errors import InputError, SourceLost
from edgeinfer.sources.options import Size
from edgeinfer.sources.v4l2 import require_camera

Capture = Any  # cv2.VideoCapture; OpenCV ships no types that hold for both 4 and 5
Transport = Literal["tcp", "udp"]

_LOG_ERROR = 2  # cv2's LOG_LEVEL_ERROR, which OpenCV 4 does not name in Python

# RTSP: 0.2 s of probing (FFmpeg's default is 5 s, measured 2 s, during which pictures pile up).
_QUICK = "rtsp_transport;{}|analyzeduration;200000|probesize;65536"
_THOROUGH = "rtsp_transport;{}"


def _cv2() -> Any:
    import cv2

    # Its warnings say less than our errors, and would come again with each back-off, for years.
    log: Any = getattr(cv2.utils, "logging", cv2)  # where OpenCV 5 has it, and OpenCV 4
    log.setLogLevel(_LOG_ERROR)
    return cv2


@contextmanager
def _ffmpeg_options(value: str) -> Iterator[None]:
    """Lends OPENCV_FFMPEG_CAPTURE_OPTIONS to one open.

    That variable is the only way by which OpenCV hands options to FFmpeg, and it is read at each open; this is
    the one place that sets it. The lock costs nothing: OpenCV opens one FFmpeg capture at a time anyway.
    It is never unset: an environment that changes less is safer with threads.
    """
    with _opening:
        if os.environ.get("OPENCV_FFMPEG_CAPTURE_OPTIONS") != value:
            os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"] = value
        yield


_opening = Lock()  # of the process, as the environment is


def open_stream(
    url: str, transport: Transport, timeout_s: float, *, thorough: bool = False
) -> Capture | None:
    """None when it cannot be opened within `timeout_s`; each later read blocks for at most `timeout_s`.

    One decoder thread: each further one holds back a picture (67 ms at 15 fps), and on a freeze one timeout.
    """
    cv2 = _cv2()
    timeout_ms = round(timeout_s * 1000)
    parameters = [
        *(cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, timeout_ms),
        *(cv2.CAP_PROP_READ_TIMEOUT_MSEC, timeout_ms),
        *(cv2.CAP_PROP_N_THREADS, 1),
    ]
    probing = (_THOROUGH if thorough else _QUICK).format(transport) if url.startswith("rtsp") else ""
    with _ffmpeg_options(probing):
        capture = cv2.VideoCapture(url, cv2.CAP_FFMPEG, parameters)
    return capture if capture.isOpened() else None


def open_video(path: Path) -> Capture:
    """Raises InputError when it is no video that OpenCV can read."""
    cv2 = _cv2()
    with _ffmpeg_options(""):
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
    if not capture.isOpened():
        raise InputError(f"from: {path} is not a video or picture that OpenCV can read")
    return capture


def open_device(
    path: str, size: Size | None, pixel_format: str | None, fps: float | None, timeout_s: float
) -> tuple[Capture, dict[str, str | None]]:
    """A streaming device, and per option what it did not take (None where all is well).

    Raises:
        SourceLost: it is away, busy, or no camera.
    """
    require_camera(path)
    cv2 = _cv2()
    # The only way to bound a read of a device (else 10 s), in whole seconds; OpenCV reads it once, at the first.
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(max(1, int(timeout_s))))
    capture = cv2.VideoCapture(path, cv2.CAP_V4L2)
    if not capture.isOpened():
        raise SourceLost(
            f"{path} does not start: busy with another program (`fuser -v {path}`), or no usable format"
        )
    # The pixel format first: which sizes and rates there are depends on it.
    if pixel_format is not None:
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*pixel_format))
    if size is not None:
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    if fps is not None:
        capture.set(cv2.CAP_PROP_FPS, fps)
    return capture, _complaints(capture, size, pixel_format, fps)


def _complaints(
    capture: Capture, size: Size | None, pixel_format: str | None, fps: float | None
) -> dict[str, str | None]:
    import cv2

    code = int(capture.get(cv2.CAP_PROP_FOURCC)) & 0xFFFFFFFF
    has_format = code.to_bytes(4, "little").decode("latin-1")
    has_size = round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
    has_fps = capture.get(cv2.CAP_PROP_FPS)
    slow = fps is not None and 0 < has_fps < 0.9 * fps  # a faster camera is no complaint: the cap drops
    return {
        "pixel_format": _asked(pixel_format, has_format),
        "size": _asked(size and "{} x {}".format(*size), "{} x {}".format(*has_size)),
        "fps": f"asked for {fps:g}, the camera gives {has_fps:g}" if slow else None,
    }


def _asked(wanted: str | None, found: str) -> str | None:
    return None if wanted in {None, found} else f"asked for {wanted}, the camera gives {found}"
