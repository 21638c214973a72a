"""What was committed, by the files themselves: copies of the outbox at every death, read with plain sqlite3."""

from __future__ import annotations

import shutil
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

FILE = "outbox.sqlite"


@dataclass(frozen=True, slots=True)
class Row:
    """One committed decision; `at_ns` is when it was committed, by the monotonic clock."""

    id: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class Death:
    """The daemon was killed when `newest` was the last number on the disk.

    `may_forget`: numbers behind it may have been given and even sent: the disk did not take them, or lost them.
    """

    what: str
    at_s: float
    newest: int
    may_forget: bool


@dataclass(frozen=True, slots=True)
class PowerCut:
    """What a power cut at that moment takes: rows, and how old the oldest of them was; `in_trouble`: of a sick disk."""

    lost: int
    oldest_s: float
    in_trouble: bool


@dataclass
class Ledger:
    """All deaths in order; `rows` are the committed ones that some copy showed, of those that still hold."""

    deaths: list[Death] = field(default_factory=list)
    rows: dict[int, str] = field(default_factory=dict)
    cuts: list[PowerCut] = field(default_factory=list)
    broker_kills_s: list[float] = field(default_factory=list)
    newest: int = 0

    def death(self, what: str, state: Path, folder: Path, may_forget: bool) -> None:
        newest = self.look(state, folder)
        self.deaths.append(Death(what, time.monotonic(), newest, may_forget))
        self.rows = {seq: identity for seq, identity in self.rows.items() if seq <= newest}

    def look(self, state: Path, folder: Path) -> int:
        """Reads the outbox of a daemon that does not write now; the newest number."""
        found = committed(state, folder)
        self.rows.update({seq: row.id for seq, row in found.items()})
        self.newest = max(found, default=0)
        return self.newest


def committed(state: Path, folder: Path) -> dict[int, Row]:
    """The rows of a copy of the outbox's files; AssertionError where that cannot be opened or is damaged."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    for path in state.glob(f"{FILE}*"):
        shutil.copyfile(path, copy / path.name)
    db = sqlite3.connect(copy / FILE)
    try:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",), "the copied outbox is damaged"
        if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchone():
            return {}  # younger than the first sync
        return {seq: _row(body) for seq, body in db.execute("SELECT seq, body FROM entries")}
    finally:
        db.close()


def _row(body: bytes) -> Row:
    """Fields by position, as docs/adr/0008 promises that they stay: id, …, mono_ns (7), …, age_ms (16)."""
    fields = msgspec.msgpack.decode(body)
    return Row(fields[0], fields[7] + round(fields[16] * 1e6))
