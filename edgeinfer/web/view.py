"""What a tap keeps for the page: newest pictures with what was found in them, readings of the last minute, listeners."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Full, Queue
from threading import Lock

from edgeinfer.events import Entry, Finding, Frame, Inference, Readings
from edgeinfer.taps import Account, Seen

_APART_NS = 200_000_000  # of two points of a plot
_POINTS = 300  # a minute of them
_CHANNELS = 8
_STALE_NS = 1_000_000_000  # findings are of the picture, or of one at most so much older
_AHEAD = 8  # pictures that wait, while somebody watches, for what is found in them
_WAITING = 64  # decisions that a slow listener may leave unread

Shown = tuple[Frame, tuple[Finding, ...]]
Listener = Queue[Entry]
Trace = dict[str, list[list[float]]]
"""Channel → [[unix ms, value], …]."""


class View:
    """Its `tap` costs a dictionary entry a sample; one picture of each source is held, more while somebody watches."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._frames: dict[str, deque[Frame]] = {}
        self._seen: dict[str, dict[str, Inference]] = {}  # source → pipeline → the newest
        self._traces: dict[str, deque[tuple[int, dict[str, float]]]] = {}
        self._listeners: tuple[Listener, ...] = ()
        self._watched: dict[str, int] = {}

    def tap(self, post: str, seen: Seen) -> None:
        """A `taps.Tap`."""
        if isinstance(seen, Frame):
            self._keep(seen)
        elif isinstance(seen, Inference):
            self._seen.setdefault(seen.key[0], {})[post] = seen
        elif isinstance(seen, Readings):
            self._trace(seen)
        elif isinstance(seen, Account):
            for entry in seen.entries:
                self.publish(entry)

    # --- pictures ----------------------------------------------------------------------------------------

    @property
    def sources(self) -> list[str]:
        """Those that have given a picture."""
        return sorted(self._frames)

    @contextmanager
    def watching(self, source: str) -> Iterator[None]:
        """While it lasts, pictures wait for what is found in them."""
        with self._lock:
            self._watched[source] = self._watched.get(source, 0) + 1
        try:
            yield
        finally:
            with self._lock:
                self._watched[source] -= 1

    def shown(self, source: str) -> Shown | None:
        """The newest picture that was judged, else the newest; with what every pipeline found in it."""
        frames = list(self._frames.get(source, ()))
        if not frames:
            return None
        newest = frames[-1]
        seen = [
            i
            for i in list(self._seen.get(source, {}).values())
            if i.at.boot == newest.at.boot and newest.at.mono_ns - i.at.mono_ns < _STALE_NS
        ]
        last = max((i.key for i in seen), default=None)
        frame = next((f for f in frames if f.key == last), newest)
        return frame, tuple(finding for i in seen for finding in i.findings)

    def _keep(self, frame: Frame) -> None:
        source = frame.key[0]
        frames = self._frames.get(source)
        if frames is None:
            frames = self._frames.setdefault(source, deque(maxlen=_AHEAD))
        frames.append(frame)
        if not self._watched.get(source):
            while len(frames) > 1:
                frames.popleft()

    # --- readings ----------------------------------------------------------------------------------------

    def traces(self, since_ms: float = 0.0) -> dict[str, Trace]:
        """The readings of the last minute, by source, after `since_ms` (unix)."""
        return {source: _trace_of(list(points), since_ms) for source, points in list(self._traces.items())}

    def _trace(self, block: Readings) -> None:
        points = self._traces.get(block.key[0])
        if points is None:
            points = self._traces.setdefault(block.key[0], deque(maxlen=_POINTS))
        if not len(block.values) or (points and block.at.unix_ns - points[-1][0] < _APART_NS):
            return
        row = block.values[-1]
        named = zip(block.channels[:_CHANNELS], row[:_CHANNELS].tolist(), strict=False)
        points.append((block.at.unix_ns, {name: value for name, value in named if math.isfinite(value)}))

    # --- decisions ---------------------------------------------------------------------------------------

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """A queue of decisions from now on; when it is full, further ones are left out (the history has them)."""
        listener: Listener = Queue(_WAITING)
        with self._lock:
            self._listeners = (*self._listeners, listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners = tuple(one for one in self._listeners if one is not listener)

    def publish(self, entry: Entry) -> None:
        for listener in self._listeners:
            try:
                listener.put_nowait(entry)
            except Full:
                continue


def _trace_of(points: list[tuple[int, dict[str, float]]], since_ms: float) -> Trace:
    found: Trace = {}
    for unix_ns, values in points:
        at_ms = unix_ns / 1e6
        if at_ms > since_ms:
            for name, value in values.items():
                found.setdefault(name, []).append([round(at_ms), value])
    return found
