"""Read a live capture and notice when it stops being live: silence, old pictures, the same picture for ever."""

from __future__ import annotations

import time
from collections.abc import Iterator

from edgeinfer.errors import SourceLost
from edgeinfer.ports import Stop
from edgeinfer.sources.capture import Capture
from edgeinfer.sources.pixels import Pixels

_STALE = 0.8  # of the timeout: a read that took so long returned what FFmpeg still had, not something new
_DRAIN_S = 2.0
_STEP = 16  # px between the samples that are compared


def grabbed(capture: Capture, name: str, timeout_s: float, stop: Stop) -> Iterator[None]:
    """Yields each time that a new picture stands in the capture, ready to be retrieved.

    Raises:
        SourceLost: nothing new came within `timeout_s`, or the other side ended it.
    """
    drained, until_s = False, time.monotonic() + _DRAIN_S
    piled_s = _period_s(capture) / 2
    while not stop.is_set():
        began_s = time.monotonic()
        there = capture.grab()
        took_s = time.monotonic() - began_s
        if took_s > _STALE * timeout_s:
            raise SourceLost(f"no new picture for {took_s:.1f} s from {name}")
        if not there:
            raise SourceLost(f"{name} gives no more pictures: it was closed or unplugged at the other end")
        # What piled up while the stream was opened comes faster than the camera makes it: skip it.
        drained = drained or took_s > piled_s or began_s > until_s
        if drained:
            yield


def _period_s(capture: Capture) -> float:
    import cv2

    fps = capture.get(cv2.CAP_PROP_FPS)
    return 1.0 / (fps if 5.0 <= fps <= 60.0 else 15.0)


class Frozen:
    """Notices a camera whose encoder hangs: it sends, but the picture never changes by a single grey level.

    Compares a sample of the pixels (one in 256). It lives longer than a capture, since such a camera opens well.
    """

    def __init__(self, after_s: float) -> None:
        self._after_ns = after_s * 1e9
        self._sample, self._since_ns = b"", 0

    def check(self, pixels: Pixels, now_ns: int, name: str) -> None:
        """Raises SourceLost when the picture has been the same for too long; does nothing when switched off."""
        if not self._after_ns:
            return
        sample = pixels[::_STEP, ::_STEP].tobytes()
        if sample != self._sample:
            self._sample, self._since_ns = sample, now_ns
        elif now_ns - self._since_ns >= self._after_ns:
            same_s = (now_ns - self._since_ns) / 1e9
            raise SourceLost(
                f"{name} has sent one and the same picture for {same_s:.0f} s: its encoder hangs"
            )
