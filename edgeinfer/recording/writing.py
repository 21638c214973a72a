"""Writes a recording; reads nothing back."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from threading import Lock
from typing import Literal

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Frame, Instant, Key
from edgeinfer.recording.folder import EVENTS, FORMAT, FRAMES, HEAD, VERSION, Head
from edgeinfer.recording.lines import frame_line, line_of
from edgeinfer.taps import Seen
from edgeinfer.wire.times import iso

log = logging.getLogger(__name__)

_PNG_LEVEL, _JPG_QUALITY = 1, 95  # lossless but quick; hardly visible


class Writer:
    """Appends what it is shown to a new recording; it is a tap, safe from several threads.

    Pictures are compressed in the caller's thread (some milliseconds each). It never raises once it is open: when
    the disk fails or `max_bytes` is reached it stops, and `stopped` says why.

    Args:
        path: the folder; made when it is missing.
        device: the name of the device that records.
        created: now.
        pictures: "png" (lossless), "jpg" (smaller, not the same pixels), or None: frames are left out.
        max_bytes: the bound of the whole folder.

    Raises:
        InputError: there is a recording already, or the folder cannot be written.
    """

    def __init__(
        self,
        path: Path,
        device: str,
        created: Instant,
        *,
        pictures: Literal["png", "jpg"] | None = "png",
        max_bytes: int = 10_000_000_000,
    ) -> None:
        self._path, self._pictures, self._left = path, pictures, max_bytes
        self._lock = Lock()
        self.stopped = ""
        head = msgspec.json.encode(Head(FORMAT, VERSION, device, iso(created.unix_ns)))
        try:
            (path / FRAMES if pictures else path).mkdir(parents=True, exist_ok=True)
            with (path / HEAD).open("xb") as file:
                file.write(head + b"\n")
            self._events = (path / EVENTS).open("xb", buffering=0)
        except FileExistsError as error:
            raise InputError(f"{path}: there is something already; record into a new folder") from error
        except OSError as error:
            raise InputError(f"{path}: cannot record here: {error.strerror}") from error
        self._left -= len(head) + 1

    def __call__(self, post: str, seen: Seen) -> None:
        """The tap."""
        del post
        self.write(seen)

    def write(self, seen: Seen) -> None:
        with self._lock:
            if not self.stopped:
                try:
                    self._write(seen)
                except Exception as error:  # a tap never raises
                    self._stop(f"cannot be written any more: {error}")

    def close(self) -> None:
        with self._lock:
            self.stopped = self.stopped or "closed"
            self._events.close()

    def _write(self, seen: Seen) -> None:
        if not isinstance(seen, Frame):
            self._append(line_of(seen), 0)
        elif self._pictures:
            picture = _compressed(seen, self._pictures)
            name = f"{FRAMES}/{self._free_name(seen.key)}.{self._pictures}"
            line = frame_line(seen, name)
            if self._fits(len(line) + 1 + len(picture)):
                (self._path / name).write_bytes(
                    picture
                )  # before its line: no line ever names a missing picture
                self._append(line, len(picture))

    def _append(self, line: bytes, more: int) -> None:
        if self._fits(len(line) + 1 + more):
            self._left -= len(line) + 1 + more
            self._events.write(line + b"\n")

    def _fits(self, size: int) -> bool:
        if size > self._left:
            self._stop("is full: max_bytes is reached")
        return not self.stopped

    def _stop(self, why: str) -> None:
        self.stopped = why
        log.warning("the recording %s %s", self._path, why)

    def _free_name(self, key: Key) -> str:
        """A source's numbers begin again when it is made anew: no picture is ever overwritten."""
        name = f"{re.sub(r'[^A-Za-z0-9_-]', '_', key[0])[:100]}-{key[1]}"
        again = 0
        while (self._path / FRAMES / f"{name}{f'.{again}' * bool(again)}.{self._pictures}").exists():
            again += 1
        return f"{name}{f'.{again}' * bool(again)}"


def _compressed(frame: Frame, form: str) -> bytes:
    import cv2

    if form == "png":
        options = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL]
    else:
        options = [cv2.IMWRITE_JPEG_QUALITY, _JPG_QUALITY]
    done, data = cv2.imencode(f".{form}", frame.pixels, options)
    if not done:
        raise ValueError(f"OpenCV cannot write {frame.key} as {form}")
    return bytes(data)
