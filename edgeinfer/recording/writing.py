"""Writes a recording, within its bounds; reads nothing back, and compresses in the caller's thread (see recorder.py)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Literal

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Frame, Instant
from edgeinfer.recording.folder import FORMAT, HEAD, VERSION, Head, segment_name
from edgeinfer.recording.lines import frame_line, line_of
from edgeinfer.recording.pictures import JPG_QUALITY, Form, Picture, compressed
from edgeinfer.recording.segment import Segment
from edgeinfer.taps import Account, Event, Seen
from edgeinfer.wire.times import iso

log = logging.getLogger(__name__)

_LEAST_SEGMENTS = 8  # of a ring: what is dropped at once is a small part of it


@dataclass(frozen=True, slots=True)
class Bounds:
    """How large and how old a recording may become; `keep` says which end of it stays when it is full.

    A segment ends after `segment_s` or `segment_bytes`. `max_age_s` 0 means: as old as it gets.
    """

    max_bytes: int = 10_000_000_000
    max_age_s: float = 0.0
    keep: Literal["first", "last"] = "first"
    segment_bytes: int = 64_000_000
    segment_s: float = 60.0

    @property
    def ring(self) -> bool:
        return self.keep == "last" or self.max_age_s > 0

    @property
    def cut_bytes(self) -> int:
        return min(self.segment_bytes, self.max_bytes // _LEAST_SEGMENTS if self.ring else self.segment_bytes)

    @property
    def cut_ns(self) -> int:
        longest_s = min(self.segment_s, self.max_age_s / _LEAST_SEGMENTS or self.segment_s)
        return round(longest_s * 1e9)


class Writer:
    """Appends what it is shown to a new recording; it is a tap, safe from several threads.

    It never raises once it is open: when the disk fails, or when it is full and keeps what came first, it stops, and
    `stopped` says why (`failed`: it was the disk).

    Args:
        path: the folder; made when it is missing.
        device: the name of the device that records.
        created: now.
        pictures: "png" (lossless), "jpg" (smaller, not the same pixels), or None: frames are left out.
        quality: of a JPEG, 1 to 100.
        bounds: of the whole folder.

    Raises:
        InputError: there is a recording already, or the folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        device: str,
        created: Instant,
        *,
        pictures: Form | None = "png",
        quality: int = JPG_QUALITY,
        bounds: Bounds = Bounds(),
    ) -> None:
        self._path, self._pictures, self._quality, self._bounds = path, pictures, quality, bounds
        self._lock = Lock()
        self._closed: deque[Segment] = deque()
        self._number = 0
        self.stopped, self.failed, self.dropped_segments = "", False, 0
        head = msgspec.json.encode(Head(FORMAT, VERSION, device, iso(created.unix_ns)))
        try:
            path.mkdir(parents=True, exist_ok=True)
            with (path / HEAD).open("xb") as file:
                file.write(head + b"\n")
            self._segment = self._next_segment()
        except FileExistsError as error:
            raise InputError(f"{path}: there is something already; record into a new folder") from error
        except OSError as error:
            raise InputError(f"{path}: cannot record here: {error.strerror}") from error
        self._closed_bytes = len(head) + 1

    def __call__(self, post: str, seen: Seen) -> None:
        """The tap."""
        del post
        if not isinstance(seen, Account):  # its parts were seen by themselves
            self.write(seen)

    def write(self, seen: Event | Picture) -> None:
        with self._lock:
            self._try(lambda: self._write(seen))

    def note_dropped(self, frame: Frame, count: int) -> None:
        """Frames from `frame` on, `count` of them, were left out: they came faster than they can be written."""
        line = msgspec.json.encode({"type": "dropped", "key": frame.key, "at": frame.at, "frames": count})
        with self._lock:
            self._try(lambda: self._append(line, frame.at))

    def sync(self) -> None:
        """What was written is on the medium; what the disk says against that stops the recording."""
        with self._lock:
            self._try(self._segment.sync)

    @property
    def size(self) -> int:
        """Bytes that it holds."""
        return self._closed_bytes + self._segment.size

    def close(self) -> None:
        with self._lock:
            self._try(self._segment.sync)
            self.stopped = self.stopped or "closed"
            self._segment.close()

    def _try(self, step: Callable[[], None]) -> None:
        if not self.stopped:
            try:
                step()
            except Exception as error:  # a tap never raises
                self.failed = True
                self._stop(f"cannot be written any more: {error}")

    def _write(self, seen: Event | Picture) -> None:
        if isinstance(seen, Frame):
            if self._pictures:
                self._write_picture(compressed(seen, self._pictures, self._quality))
        elif isinstance(seen, Picture):
            self._write_picture(seen)
        else:
            self._append(line_of(seen), seen.at)

    def _write_picture(self, picture: Picture) -> None:
        """The picture before its line: no line ever names one that is missing."""
        line = frame_line(picture, self._segment.free_name(picture.key, picture.form))
        if self._fits(len(line) + 1 + len(picture.data)):
            name = self._segment.free_name(picture.key, picture.form)  # another segment may have begun
            self._segment.add_picture(name, picture.data)
            self._segment.append(frame_line(picture, name), picture.at)

    def _append(self, line: bytes, at: Instant) -> None:
        if self._fits(len(line) + 1):
            self._segment.append(line, at)

    def _fits(self, size: int) -> bool:
        """Whether there is room, after a cut and after dropping what is oldest where that is wanted."""
        bounds, segment = self._bounds, self._segment
        if segment.size and (segment.size + size > bounds.cut_bytes or segment.lasted_ns() >= bounds.cut_ns):
            self._cut()
        while bounds.keep == "last" and self._closed and self.size + size > bounds.max_bytes:
            self._drop_oldest()
        if self.size + size > bounds.max_bytes:
            self._stop("is full: max_bytes is reached")
        return not self.stopped

    def _cut(self) -> None:
        done = self._segment
        self._segment = self._next_segment()
        done.sync()
        done.close()
        self._closed.append(done)
        self._closed_bytes += done.size
        newest = done.last
        while newest and self._closed and self._too_old(self._closed[0].last, newest):
            self._drop_oldest()

    def _too_old(self, last: Instant | None, now: Instant) -> bool:
        oldest_ns = round(self._bounds.max_age_s * 1e9)
        same = last is not None and last.boot == now.boot
        return bool(oldest_ns) and last is not None and same and now.mono_ns - last.mono_ns > oldest_ns

    def _drop_oldest(self) -> None:
        oldest = self._closed.popleft()
        oldest.remove()
        self._closed_bytes -= oldest.size
        self.dropped_segments += 1

    def _next_segment(self) -> Segment:
        self._number += 1
        return Segment(self._path / segment_name(self._number))

    def _stop(self, why: str) -> None:
        self.stopped = why
        log.warning("the recording %s %s", self._path, why)
