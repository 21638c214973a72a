"""The SQLite side of the outbox: rows, notes and dead letters in one file; knows no sinks, locks or memory.

Every method may raise `sqlite3.Error` or `OSError`; the outbox decides what that means. Not for two threads at
once, except `sync`, which may run beside everything but `close`.

Pages are 1 kB and there is no AUTOINCREMENT (the newest row is never deleted, so that a number is never given
twice): a commit then dirties one small page and not two of 4 kB, which is 2.8 instead of 9.4 kB on the medium for
each row of 330 bytes (benchmarks/outbox.py measures it). The connection is exclusive: it needs no -shm file, so
that an outbox opens even on a disk that is full, and a second daemon is refused.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

Row = tuple[int, bytes]

PAGE_BYTES = 1024
_CHECKPOINT_PAGES = 2000  # about 2 MB of WAL; the keeper checkpoints, SQLite itself only at twice that
_MAX_REFUSED = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS refused (n INTEGER PRIMARY KEY, sink TEXT NOT NULL, seq INTEGER NOT NULL,
                                    reason TEXT NOT NULL, body BLOB NOT NULL);
"""


_WITH_TEXT = "SELECT seq, body FROM entries WHERE instr(body, ?) > 0 ORDER BY seq DESC LIMIT 10"


def find_in(path: Path, text: str) -> list[Row]:
    """The rows with `text` in an outbox that no daemon has open; changes nothing in it.

    Raises:
        sqlite3.Error: it cannot be read, or a daemon has it.
    """
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=0.5)
    try:
        return db.execute(_WITH_TEXT, (text.encode(),)).fetchall()
    finally:
        db.close()


class OutboxFile:
    """One open file. `always_sync` makes each commit wait for the medium."""

    def __init__(self, path: Path, *, always_sync: bool) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.5)
        self._wal_fd = -1
        try:
            self._prepare("FULL" if always_sync else "NORMAL")
            self._wal_fd = os.open(f"{path}-wal", os.O_RDWR)
            _sync_folder(path.parent)
        except BaseException:
            self.close()
            raise

    def _prepare(self, synchronous: str) -> None:
        for pragma in (
            f"page_size={PAGE_BYTES}",
            "locking_mode=EXCLUSIVE",
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            f"wal_autocheckpoint={2 * _CHECKPOINT_PAGES}",
        ):
            self._db.execute(f"PRAGMA {pragma}").fetchall()
        if self._db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("the file is damaged")
        if not self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'refused'").fetchone():
            self._db.executescript(_SCHEMA)
        self._db.execute("SELECT count(*) FROM notes").fetchone()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, one commit."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def insert(self, rows: Sequence[Row]) -> None:
        """A commit for each row outside of a transaction."""
        self._db.executemany("INSERT INTO entries VALUES (?, ?)", rows)

    def select(self, after_seq: int, limit: int) -> list[Row]:
        """The next `limit` rows behind `after_seq`, in order."""
        question = "SELECT seq, body FROM entries WHERE seq > ? ORDER BY seq LIMIT ?"
        return self._db.execute(question, (after_seq, limit)).fetchall()

    def find(self, text: str) -> list[Row]:
        """The rows with `text` somewhere in them; reads all of them, 10,000 in some milliseconds."""
        return self._db.execute(_WITH_TEXT, (text.encode(),)).fetchall()

    def bounds(self) -> tuple[int, int]:
        """The oldest and the newest seq; (0, 0) when there is none."""
        oldest = self._db.execute("SELECT min(seq) FROM entries").fetchone()[0]
        newest = self._db.execute("SELECT max(seq) FROM entries").fetchone()[0]
        return oldest or 0, newest or 0

    def trim(self, upto_seq: int) -> None:
        """Deletes the rows up to `upto_seq`, but never the newest."""
        self._db.execute(
            "DELETE FROM entries WHERE seq <= ? AND seq < (SELECT max(seq) FROM entries)", (upto_seq,)
        )

    def used_bytes(self) -> int:
        """What the rows occupy in the file, in pages that hold something; costs two look-ups."""
        pages, free = (
            self._db.execute(f"PRAGMA {p}").fetchone()[0] for p in ("page_count", "freelist_count")
        )
        return int(pages - free) * PAGE_BYTES

    def note(self, name: str) -> bytes | None:
        row = self._db.execute("SELECT body FROM notes WHERE name = ?", (name,)).fetchone()
        return row[0] if row else None

    def write_note(self, name: str, body: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, body))

    def add_refused(self, sink: str, seq: int, reason: str, body: bytes) -> None:
        """Keeps the newest 1,000."""
        cursor = self._db.execute(
            "INSERT INTO refused (sink, seq, reason, body) VALUES (?, ?, ?, ?)", (sink, seq, reason, body)
        )
        self._db.execute("DELETE FROM refused WHERE n <= ?", ((cursor.lastrowid or 0) - _MAX_REFUSED,))

    def refused(self, sink: str) -> list[tuple[int, str, bytes]]:
        """(seq, reason, body), in the order of refusal."""
        question = "SELECT seq, reason, body FROM refused WHERE sink = ? ORDER BY n"
        return self._db.execute(question, (sink,)).fetchall()

    def sync(self) -> None:
        """Brings the commits so far to the medium (fdatasync of the WAL), in 5 to 50 ms on an SD card."""
        os.fdatasync(self._wal_fd)

    def checkpoint_due(self) -> bool:
        return os.fstat(self._wal_fd).st_size > _CHECKPOINT_PAGES * PAGE_BYTES

    def checkpoint(self) -> None:
        """Moves the WAL into the database and empties it; cheap right after a `sync`."""
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()

    def close(self) -> None:
        if self._wal_fd >= 0:
            os.close(self._wal_fd)
            self._wal_fd = -1
        self._db.close()


def _sync_folder(folder: Path) -> None:
    """A file is only safe once its name is: fsync(2), NOTES."""
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
