"""Pictures for the page: drawn and encoded when somebody asks, once for all who do; nothing runs otherwise."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from threading import Lock

from edgeinfer.events import Key
from edgeinfer.geometry import Point
from edgeinfer.ports import Stop
from edgeinfer.web.view import Shown, View

BOUNDARY = "frame"
_WIDEST_PX = 640
_QUALITY = 75  # of the JPEG
_AGAIN_S = 3.0  # a picture that does not change is sent again: it shows who has left

Shapes = tuple[Sequence[Sequence[Point]], Sequence[Sequence[Point]]]
"""Zones and lines, normalised corners."""


@dataclass
class Pictures:
    """`shapes(source)` says what is drawn besides what was found."""

    view: View
    shapes: Callable[[str], Shapes]
    _made: dict[str, tuple[object, bytes]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def jpeg(self, source: str, *, plain: bool = False) -> tuple[Key, bytes] | None:
        """The newest picture, with what was found in it (not when `plain`); None when there is none so far."""
        shown = self.view.shown(source)
        if shown is None:
            return None
        if plain:
            return shown[0].key, _encoded(shown, None)
        with self._lock:  # a second viewer gets what was made for the first
            made = self._made.get(source)
            if made is None or made[0] != shown[0].key:
                made = self._made[source] = (shown[0].key, _encoded(shown, self.shapes(source)))
        return shown[0].key, made[1]

    def stream(self, source: str, fps: float, stop: Stop) -> Generator[bytes, None, None]:
        """`multipart/x-mixed-replace`, until `stop`; a browser shows a part when the next boundary has come."""
        yield f"--{BOUNDARY}\r\n".encode()
        sent: Key | None = None
        quiet_s = 0.0
        with self.view.watching(source):
            while not stop.is_set():
                found = self.jpeg(source)
                if found is not None and (found[0] != sent or quiet_s >= _AGAIN_S):
                    sent, quiet_s = found[0], 0.0
                    yield _part(found[1])
                stop.wait(1 / fps)
                quiet_s += 1 / fps


def _part(jpeg: bytes) -> bytes:
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
    return head.encode() + jpeg + f"\r\n--{BOUNDARY}\r\n".encode()


def _encoded(shown: Shown, shapes: Shapes | None) -> bytes:
    import cv2

    from edgeinfer.drawing import drawn, outlined

    frame, findings = shown
    pixels = frame.pixels
    height_px, width_px = pixels.shape[:2]
    if width_px > _WIDEST_PX:
        size_px = (_WIDEST_PX, max(1, round(height_px * _WIDEST_PX / width_px)))
        pixels = cv2.resize(pixels, size_px, interpolation=cv2.INTER_AREA)
    if shapes is not None:
        colour = cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR) if pixels.ndim == 2 else pixels
        pixels = drawn(colour, findings)
        outlined(pixels, *shapes)
    _, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    encoded: bytes = data.tobytes()
    return encoded
