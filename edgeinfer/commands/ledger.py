"""Which commands were begun and how they ended, by id: on disk, so that a repeat does nothing after a restart either.

An id is remembered at least until its command has expired: whoever replays it later is refused for that. A command whose
end was not written (kill -9 in between) is never begun again: its outcome is told as `interrupted`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.ports import Report

FILE = "commands.jsonl"
_KEPT = 256  # ids that are remembered although they have expired
MOST = 2_048  # ids that are remembered at all: who has more of them waiting has to wait, too
_COMPACT = 4  # the file is written anew when it has so many times more lines than ids


class Entry(msgspec.Struct, frozen=True):
    """`key` is door and id, `asked` a digest of what was asked, `until_ns` (unix) when the command expires.

    `answer` is empty until it ended.
    """

    key: str
    asked: str
    until_ns: int
    answer: dict[str, Any] = {}


INTERRUPTED: Mapping[str, Any] = {
    "ok": False,
    "outcome": "failed",
    "reason": "interrupted",
    "error": "the daemon died in the middle of this command: perhaps it took effect, perhaps not; ask for health, "
    "then ask again with another id",
}


class Ledger:
    """For one thread. While the disk takes nothing, ids are remembered in memory alone, and that is reported."""

    def __init__(self, folder: Path, report: Report) -> None:
        self._path, self._report = folder / FILE, report
        self._entries: dict[str, Entry] = {}
        self._lines = 0
        self._load()
        self.newest_ns = max((e.until_ns for e in self._entries.values()), default=0)

    def find(self, key: str) -> Entry | None:
        return self._entries.get(key)

    def full(self, now_ns: int) -> bool:
        """Whether there is no room for another id."""
        self._forget(now_ns)
        return len(self._entries) >= MOST

    def begin(self, key: str, asked: str, until_ns: int) -> None:
        """On the medium when this returns."""
        self._put(Entry(key, asked, until_ns), sync=True)

    def end(self, key: str, answer: Mapping[str, Any]) -> None:
        """With the kernel when this returns: kill -9 does not take it."""
        begun = self._entries[key]
        self._put(Entry(key, begun.asked, begun.until_ns, dict(answer)), sync=False)

    # --- the file ----------------------------------------------------------------------------------------

    def _put(self, entry: Entry, *, sync: bool) -> None:
        self._entries.pop(entry.key, None)
        self._entries[entry.key] = entry
        self.newest_ns = max(self.newest_ns, entry.until_ns)
        self._lines += 1
        try:
            if self._lines > _COMPACT * max(len(self._entries), _KEPT):
                self._compact()
            else:
                self._append(msgspec.json.encode(entry) + b"\n", sync=sync)
        except OSError as error:
            self._report(
                "ledger",
                f"{self._path} cannot be written ({error.strerror}): after a restart a repeated command would be done "
                "again; free space there",
            )
        else:
            self._report("ledger", None)

    def _append(self, line: bytes, *, sync: bool) -> None:
        fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        try:
            end = os.fstat(fd).st_size
            torn = end and os.pread(fd, 1, end - 1) != b"\n"  # by a full disk or a power cut
            os.write(fd, b"\n" + line if torn else line)
            if sync:
                os.fdatasync(fd)
        finally:
            os.close(fd)

    def _compact(self) -> None:
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.writelines(msgspec.json.encode(entry) + b"\n" for entry in self._entries.values())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._lines = len(self._entries)

    def _load(self) -> None:
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return
        except OSError as error:
            self._report(
                "ledger", f"{self._path} cannot be read ({error.strerror}): repeats are not recognised"
            )
            return
        for line in lines:
            try:
                entry = msgspec.json.decode(line, type=Entry)
            except msgspec.MsgspecError:
                continue  # torn by a power cut: it was never answered
            self._entries.pop(entry.key, None)
            self._entries[entry.key] = entry
        self._lines = len(lines)
        for entry in [e for e in self._entries.values() if not e.answer]:
            self._entries[entry.key] = msgspec.structs.replace(entry, answer=dict(INTERRUPTED))

    def _forget(self, now_ns: int) -> None:
        """The oldest that have expired, beyond those that are kept all the same."""
        for key in list(self._entries)[: max(len(self._entries) - _KEPT, 0)]:
            if self._entries[key].until_ns < now_ns:
                del self._entries[key]
