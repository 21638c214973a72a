"""Writes the audit log: appends sealed lines, rotates, drops the oldest file, and holds lines while the disk is full.

A line is handed to the kernel before `write` returns, so that kill -9 loses none; `sync` brings what was written to the
medium, and a power cut loses at most what was not synced. The oldest file goes when there are more than `keep`; a line
`dropped` says so in the chain, with the hash that the next file goes on from.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from edgeinfer.audit.chain import GENESIS, parse, seal
from edgeinfer.audit.files import End, end_of, files, first_of, name_of, raw_lines
from edgeinfer.ports import Report

_MAX_HELD = 1_000  # lines that wait in memory for a disk that takes nothing
_MAX_LINE = 16_384  # facts longer than this are cut by whoever tells them; a line must stay a line


class AuditLog:
    """One writer for each folder (the state folder's lock sees to it); safe from any thread.

    Args:
        folder: is made if need be.
        now: the time as RFC 3339 text.
        report: told when the disk takes no lines, and when it does again.
        max_bytes: of one file.
        keep: files at most.
    """

    def __init__(
        self, folder: Path, now: Callable[[], str], report: Report, *, max_bytes: int = 262_144, keep: int = 8
    ) -> None:
        self._folder, self._now, self._report = folder, now, report
        self._max_bytes, self._keep = max_bytes, max(keep, 2)
        self._lock = Lock()
        self._fd: int | None = None
        self._file: Path | None = None
        self._size = self.n = 0
        self.head = GENESIS
        self._held: deque[tuple[str, str, dict[str, Any]]] = deque()
        self.missed = self._untold = 0
        self._dirty = self._found = False
        with self._lock:
            self._try(self._find)

    # --- for everybody -----------------------------------------------------------------------------------

    def write(self, kind: str, **facts: Any) -> bool:
        """Appends a line; False where the disk does not take it now: it is held, and written when it does.

        Raises:
            ValueError: and TypeError; `facts` cannot stand in a line.
        """
        if len(seal(0, "", kind, facts, "")[0]) > _MAX_LINE:
            facts = {"cut": f"the facts were longer than {_MAX_LINE} bytes"}
        with self._lock:
            self._hold((self._now(), kind, facts))
            return self._try(self._flush)

    def retry(self) -> bool:
        """Tries again what is held; whether nothing is left."""
        with self._lock:
            return not (self._held or self._untold) or self._try(self._flush)

    def sync(self) -> None:
        """Waits for the medium, beside `write`."""
        with self._lock:
            if self._fd is None or not self._dirty:
                return
            fd, self._dirty = os.dup(self._fd), False
        try:
            os.fdatasync(fd)
        except OSError as error:
            self._dirty = True
            self._report("audit", f"the audit log in {self._folder} cannot be synced: {error.strerror}")
        finally:
            os.close(fd)

    @property
    def held(self) -> int:
        """Lines that wait in memory."""
        return len(self._held)

    def close(self) -> None:
        self.retry()
        self.sync()
        with self._lock:
            self._shut()

    # --- under the lock ----------------------------------------------------------------------------------

    def _hold(self, line: tuple[str, str, dict[str, Any]]) -> None:
        if len(self._held) >= _MAX_HELD:
            self.missed += 1
            self._untold += 1
            return
        self._held.append(line)

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except OSError as error:
            self._shut()
            lost = f", {self.missed} more were lost" if self.missed else ""
            self._report(
                "audit",
                f"the audit log in {self._folder} takes no lines ({error.strerror}): {_lines(len(self._held))} in "
                f"memory{lost}; free space there, or give the folder to the daemon's user",
            )
            return False
        self._report("audit", None)
        return True

    def _flush(self) -> None:
        if self._fd is None:
            self._find()
        while self._held:
            at, kind, facts = self._held[0]
            self._append(at, kind, facts)
            self._held.popleft()
        if self._untold:
            self._append(self._now(), "missed", {"lines": self._untold})
            self._untold = 0

    def _find(self) -> None:
        """Opens the newest file at the end of its last whole line, and tells in the chain what was found behind it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        end = end_of(self._folder)
        self.n, self.head, self._file = end.n, end.hash, end.file
        if end.file is None:
            self._open(self._folder / name_of(1))
            return
        self._open(end.file)
        self._mend(end)

    def _mend(self, end: End) -> None:
        if end.broken:
            self._append(self._now(), "broken", {"why": end.broken, "file": str(end.file and end.file.name)})
        if not end.torn or end.file is None:
            return
        torn = end.file.read_bytes()[end.size :]
        os.ftruncate(self._fd or 0, end.size)
        self._size = end.size
        self._append(self._now(), "torn", {"bytes": end.torn, "sha256": sha256(torn).hexdigest()})

    def _open(self, file: Path) -> None:
        self._shut()
        self._fd = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._file, self._size = file, os.fstat(self._fd).st_size

    def _shut(self) -> None:
        if self._fd is not None:
            with contextlib.suppress(OSError):
                os.close(self._fd)
            self._fd = None

    def _append(self, at: str, kind: str, facts: dict[str, Any]) -> None:
        if self._size >= self._max_bytes:
            self._rotate(at)
        self._put(*seal(self.n + 1, at, kind, facts, self.head))

    def _put(self, line: bytes, own: str) -> None:
        if self._fd is None:
            raise OSError(0, "the log is closed")
        data, before = line + b"\n", self._size
        done = 0
        try:
            while done < len(data):
                done += os.write(self._fd, data[done:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, before)  # half a line would break the chain
            raise
        self._size, self.n, self.head, self._dirty = before + len(data), self.n + 1, own, True

    def _rotate(self, at: str) -> None:
        if self._fd is not None:
            os.fsync(self._fd)
        self._open(self._folder / name_of(self.n + 1))
        self._sync_folder()
        there = files(self._folder)
        gone = there[: max(len(there) - self._keep, 0)]
        if gone:
            self._put(*seal(self.n + 1, at, "dropped", _last(gone[-1]), self.head))
            os.fsync(self._fd or 0)  # first it is told, then it is done
        for file in gone:
            file.unlink()

    def _sync_folder(self) -> None:
        fd = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def _last(file: Path) -> dict[str, Any]:
    """What the file after this one goes on from."""
    *_, raw = raw_lines(file)
    line = parse(raw.content)
    return {"first": first_of(file), "last": line.n, "anchor": line.hash}


def _lines(count: int) -> str:
    return f"{count} line{'s wait' if count != 1 else ' waits'}"
