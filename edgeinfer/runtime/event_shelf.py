"""The folder of kept events: a recording each, within a bound of bytes; decides not what is kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from edgeinfer.events import Instant
from edgeinfer.recording.accounts import Why

FOLDER = "events"
_DECISIONS = "decisions"


class EventShelf:
    """Folders `UNIXSECONDS-ID`, so that their names are in order; `decisions/ID.json` in each says what was decided."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder, self._max_bytes = folder, max_bytes
        self._sizes = {path: _size(path) for path in sorted(folder.glob("*-*")) if path.is_dir()}

    @property
    def count(self) -> int:
        return len(self._sizes)

    @property
    def bytes(self) -> int:
        return sum(self._sizes.values())

    def place(self, at: Instant, decision: str) -> Path:
        """The folder of a new event; not made yet."""
        return self.folder / f"{at.unix_ns // 10**9:011d}-{decision}"

    def put(self, event: Path, why: Why) -> None:
        """Writes what was decided beside the pictures. Raises OSError."""
        (event / _DECISIONS).mkdir(parents=True, exist_ok=True)
        (event / _DECISIONS / f"{why.decision.id}.json").write_bytes(msgspec.json.encode(why))

    def done(self, event: Path) -> int:
        """`event` is whole; how many of the oldest had to go for it."""
        self._sizes[event] = _size(event)
        dropped = 0
        while self.bytes > self._max_bytes and len(self._sizes) > 1:
            oldest = min(self._sizes)
            shutil.rmtree(oldest, ignore_errors=True)
            del self._sizes[oldest]
            dropped += 1
        return dropped


def find_event(state_dir: Path, decision: str) -> tuple[Path, Why] | None:
    """The event that holds this decision, and what it says of it; None when none does."""
    for file in (state_dir / FOLDER).glob(f"*/{_DECISIONS}/{decision}.json"):
        try:
            return file.parents[1], msgspec.json.decode(file.read_bytes(), type=Why)
        except (OSError, msgspec.MsgspecError):
            return None  # dropped in this moment, or cut off by a power cut
    return None


def _size(path: Path) -> int:
    total = 0
    for file in path.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except OSError:
            continue  # gone meanwhile
    return total
