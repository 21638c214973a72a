"""One segment of a recording while it is written: a file of events and the pictures beside it; knows no bounds."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from edgeinfer.events import Instant, Key
from edgeinfer.recording.folder import EVENTS, FRAMES


class Segment:
    """Made new in `path`; `size` is what it holds in bytes, `first` and `last` the moments of its events.

    Raises:
        OSError: it is there already, or cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.size = path, 0
        self.first: Instant | None = None
        self.last: Instant | None = None
        path.mkdir(parents=True)
        self.events = (path / EVENTS).open("xb", buffering=0)

    def append(self, line: bytes, at: Instant) -> None:
        """One write for each line: what is written is there when the process dies."""
        self.events.write(line + b"\n")
        self.size += len(line) + 1
        self.first, self.last = self.first or at, at

    def add_picture(self, name: str, data: bytes) -> None:
        (self.path / FRAMES).mkdir(exist_ok=True)
        (self.path / name).write_bytes(data)
        self.size += len(data)

    def free_name(self, key: Key, form: str) -> str:
        """A source's numbers begin again when it is made anew: no picture is ever overwritten."""
        name = f"{re.sub(r'[^A-Za-z0-9_-]', '_', key[0])[:100]}-{key[1]}"
        again = 0
        while (self.path / FRAMES / f"{name}{f'.{again}' * bool(again)}.{form}").exists():
            again += 1
        return f"{FRAMES}/{name}{f'.{again}' * bool(again)}.{form}"

    def lasted_ns(self) -> int:
        """From its first event to its last; 0 across a change of clocks."""
        if self.first is None or self.last is None or self.first.boot != self.last.boot:
            return 0
        return self.last.mono_ns - self.first.mono_ns

    def sync(self) -> None:
        """Brings the lines to the medium (5 to 50 ms on an SD card); pictures follow in the kernel's time."""
        os.fdatasync(self.events.fileno())

    def close(self) -> None:
        self.events.close()

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
