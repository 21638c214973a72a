"""What one pipeline's sources showed in the last seconds, in memory; bounded by time and bytes, writes nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from edgeinfer.events import Instant, Key
from edgeinfer.recording import Picture
from edgeinfer.taps import Event

Kept = Event | Picture

MAX_BYTES = 64_000_000
"""Of pictures, a pipeline: three seconds of full HD at 30 fps are about 25 MB of JPEG."""


class Preroll:
    """The last `before_s` seconds, in the order in which they came; not thread-safe."""

    def __init__(self, before_s: float, max_bytes: int = MAX_BYTES) -> None:
        self._before_ns, self._max_bytes = round(before_s * 1e9), max_bytes
        self._kept: deque[Kept] = deque()
        self._bytes = 0

    def add(self, kept: Kept) -> None:
        self._kept.append(kept)
        self._bytes += _size(kept)
        while self._kept and (self._too_old(self._kept[0].at, kept.at) or self._bytes > self._max_bytes):
            self._bytes -= _size(self._kept.popleft())

    def _too_old(self, then: Instant, now: Instant) -> bool:
        return then.boot != now.boot or now.mono_ns - then.mono_ns > self._before_ns

    def __iter__(self) -> Iterator[Kept]:
        return iter(self._kept)

    def picture(self, key: Key) -> Picture | None:
        """The picture `key`, or the last one of its source before it (where pictures are thinned out)."""
        found = None
        for kept in self._kept:
            if isinstance(kept, Picture) and kept.key[0] == key[0] and kept.key[1] <= key[1]:
                found = kept
        return found


def _size(kept: Kept) -> int:
    return len(kept.data) if isinstance(kept, Picture) else 200
