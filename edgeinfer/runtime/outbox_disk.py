"""The outbox's file as a daemon must live with it: damaged, full or failing, and told so; holds no decisions."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgeinfer.errors import DeviceError, StateError
from edgeinfer.ports import Clock, Report
from edgeinfer.runtime.outbox_file import OutboxFile, Row

log = logging.getLogger(__name__)

_FULL_BYTES = 1_000_000  # less than this is free: a file that cannot be made is a matter of space
_TELL_AGAIN_NS = 60_000_000_000

_Trouble = (sqlite3.Error, OSError)


class OutboxDisk:
    """Opens the file, moves a damaged one aside, and turns errors of the disk into answers. Not thread-safe."""

    def __init__(self, path: Path, clock: Clock, report: Report, *, always_sync: bool) -> None:
        self._path, self._clock, self._report, self._always_sync = path, clock, report, always_sync
        self._file: OutboxFile | None = None
        self._ended = False
        self._error = ""
        self._told_ns: int | None = None
        self._notes: dict[str, bytes] = {}
        self.oldest = self.newest = 0
        self._open_first()

    # --- opening -----------------------------------------------------------------------------------------

    def _open_first(self) -> None:
        folder = self._path.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._open()
        except _Trouble as error:
            if "locked" in str(error):
                raise StateError(
                    f"another daemon uses {self._path}: stop it, or give this one its own state folder"
                ) from error
            if (self._path.exists() and self._path.stat().st_size) or not _is_full(folder):
                raise StateError(
                    f"the outbox {self._path} cannot be opened ({error}): "
                    "the folder must exist on a healthy disk and belong to the user of the daemon"
                ) from error
            self._error = str(error)
            self.tell(0, 0, 0)

    def _open(self) -> OutboxFile:
        try:
            file = OutboxFile(self._path, always_sync=self._always_sync)
        except sqlite3.DatabaseError as error:
            if not _is_damaged(error):
                raise
            self._move_aside(str(error))
            file = OutboxFile(self._path, always_sync=self._always_sync)
        self.oldest, self.newest = file.bounds()
        if self._notes and self.newest == 0:  # a new file in place of a damaged one
            with file.transaction():
                _write_notes(file, self._notes)
        self._file = file
        return file

    def _move_aside(self, why: str) -> None:
        """Keeps the newest damaged file for whoever wants to look; older ones would fill the disk."""
        for old in self._path.parent.glob(f"{self._path.stem}.corrupt-*"):
            old.unlink()
        aside = self._path.with_name(
            f"{self._path.stem}.corrupt-{self._clock.now().unix_ns // 1_000_000_000}"
        )
        for suffix in ("", "-wal"):
            part = Path(f"{self._path}{suffix}")
            if part.exists():
                part.rename(f"{aside}{suffix}")
        self._report(
            "outbox-damaged",
            f"the outbox was damaged ({why}) and a new one was started: decisions that were not delivered may be "
            f"lost; the old file is {aside}; look after the disk or SD card",
        )

    # --- writing -----------------------------------------------------------------------------------------

    def write(self, rows: Sequence[Row], notes: Mapping[str, bytes]) -> bool:
        """All in one commit; False when the disk does not take it now."""
        if self._ended:
            return False
        try:
            file = self._file or self._open()
            _write(file, rows, notes)
        except _Trouble as error:
            self._failed(error)
            return False
        self._notes.update(notes)
        if rows:
            self.oldest = self.oldest or rows[0][0]
            self._well()
        return True

    def trim(self, upto_seq: int) -> bool:
        """Deletes up to `upto_seq`; False when the disk does not take it now."""
        if self._file is None:
            return False
        try:
            with self._file.transaction():
                self._file.trim(upto_seq)
            self.oldest, _ = self._file.bounds()
        except _Trouble as error:
            self._failed(error)
            return False
        return True

    def refuse(self, sink: str, seq: int, reason: str, body: bytes) -> None:
        if self._file is None:
            return
        try:
            with self._file.transaction():
                self._file.add_refused(sink, seq, reason, body)
        except _Trouble as error:
            self._failed(error)

    def sync(self) -> None:
        """Waits for the medium; may run beside the other methods."""
        file = self._file
        if file is None or self._always_sync:
            return
        try:
            file.sync()
        except _Trouble as error:
            self._failed(error)

    def checkpoint(self) -> None:
        """Empties the WAL when it has grown large."""
        if self._file is None:
            return
        try:
            if self._file.checkpoint_due():
                self._file.checkpoint()
        except _Trouble as error:
            self._failed(error)

    def close(self) -> None:
        """From now on the disk takes nothing."""
        self._ended = True
        self._shut()

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    # --- reading -----------------------------------------------------------------------------------------

    def select(self, after_seq: int, limit: int) -> list[Row]:
        """The next rows behind `after_seq`.

        Raises:
            DeviceError: the disk cannot be read now.
        """
        if self._file is None:
            return []
        try:
            return self._file.select(after_seq, limit)
        except _Trouble as error:
            self._failed(error)
            raise DeviceError(f"the outbox {self._path} cannot be read: {error}") from error

    def find(self, text: str) -> list[Row]:
        """The rows with `text` in them. Raises as `select` does."""
        if self._file is None:
            return []
        try:
            return self._file.find(text)
        except _Trouble as error:
            self._failed(error)
            raise DeviceError(f"the outbox {self._path} cannot be read: {error}") from error

    def refused(self, sink: str) -> list[tuple[int, str, bytes]]:
        return self._file.refused(sink) if self._file else []

    def note(self, name: str) -> bytes | None:
        return self._file.note(name) if self._file else None

    def used_bytes(self) -> int:
        try:
            return self._file.used_bytes() if self._file else 0
        except _Trouble as error:
            self._failed(error)
            return 0

    # --- trouble -----------------------------------------------------------------------------------------

    def _failed(self, error: Exception) -> None:
        log.debug("outbox: %s", error)
        self._error = str(error)
        if self._file is not None and _is_damaged(error):
            self._shut()  # the next write opens it again, finds the damage and starts a new file

    def _well(self) -> None:
        if self._told_ns is not None:
            self._told_ns = None
            self._report("disk", None)

    def tell(self, held: int, max_held: int, dropped: int) -> None:
        """Says that decisions wait in memory; the counts are told again at most once a minute."""
        now_ns = self._clock.now().mono_ns
        if self._told_ns is not None and now_ns - self._told_ns < _TELL_AGAIN_NS:
            return
        self._told_ns = now_ns
        lost = f", {dropped} older ones were dropped" if dropped else ""
        bound = f" (at most {max_held})" if max_held else ""
        self._report(
            "disk",
            f"the disk does not take decisions ({self._error}): {held} wait in memory{bound}{lost}, they are still "
            f"delivered, but a power cut loses them; free space at {self._path.parent} or look after the disk",
        )


def _write(file: OutboxFile, rows: Sequence[Row], notes: Mapping[str, bytes]) -> None:
    """One commit: a statement alone is one already, and saves two round trips to SQLite (a fifth of the time)."""
    if len(rows) == 1 and not notes:
        file.insert(rows)
        return
    with file.transaction():
        file.insert(rows)
        _write_notes(file, notes)


def _write_notes(file: OutboxFile, notes: Mapping[str, bytes]) -> None:
    for name, body in notes.items():
        file.write_note(name, body)


def _is_damaged(error: Exception) -> bool:
    """SQLITE_CORRUPT and SQLITE_NOTADB come as plain DatabaseError, all else as one of its children."""
    return type(error) is sqlite3.DatabaseError


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _FULL_BYTES
    except OSError:
        return False
