"""The newest picture of each source, as a tap sees it, and as a JPEG of bounded size when somebody asks."""

from __future__ import annotations

from typing import Any

from edgeinfer.commands.table import Picture, Snapshot
from edgeinfer.errors import EdgeinferError, InputError, nearest
from edgeinfer.events import Frame
from edgeinfer.taps import Seen
from edgeinfer.wire.times import iso

LEAST_BYTES, MOST_BYTES = 2_000, 2_000_000
_QUALITIES = (85, 70, 50)
_SMALLEST_PX = 32


class Snapshots:
    """Holds one picture of each source: it costs its memory, and no time."""

    def __init__(self) -> None:
        self._newest: dict[str, Frame] = {}

    def tap(self, post: str, seen: Seen) -> None:
        """A `taps.Tap`."""
        if isinstance(seen, Frame):
            self._newest[post] = seen

    def forget(self, known: frozenset[str]) -> None:
        """Only the posts `known` are left."""
        for post in self._newest.keys() - known:
            del self._newest[post]

    def take(self, asked: Snapshot) -> Picture:
        """The newest picture of a source.

        Raises:
            InputError: the bound makes no sense, or there is no such source with pictures.
            EdgeinferError: it has given none yet, or none that fits.
        """
        if not LEAST_BYTES <= asked.max_bytes <= MOST_BYTES:
            raise InputError(f"max_bytes: expected {LEAST_BYTES} to {MOST_BYTES}, found {asked.max_bytes}")
        frame = self._newest.get(f"source.{asked.source}")
        if frame is None:
            there = [post.removeprefix("source.") for post in self._newest]
            raise EdgeinferError(
                f"no picture of a source {asked.source!r} so far{nearest(asked.source, there)} "
                f"(there are pictures of: {', '.join(sorted(there)) or 'none'})"
            )
        jpeg, pixels = _within(frame.pixels, asked.max_bytes)
        height_px, width_px = pixels.shape[:2]
        return Picture(asked.source, iso(frame.at.unix_ns), width_px, height_px, jpeg)


def _within(pixels: Any, max_bytes: int) -> tuple[bytes, Any]:
    """First a lower quality, then half as large, and again."""
    import cv2

    while min(pixels.shape[:2]) >= _SMALLEST_PX:
        for quality in _QUALITIES:
            done, data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
            if done and len(data) <= max_bytes:
                return data.tobytes(), pixels
        height_px, width_px = pixels.shape[:2]
        pixels = cv2.resize(pixels, (width_px // 2, height_px // 2), interpolation=cv2.INTER_AREA)
    raise EdgeinferError(f"the picture does not fit into {max_bytes} bytes; give max_bytes more")
