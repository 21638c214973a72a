"""Decisions in batches for the audit log: from which number to which, and one hash over their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256
from threading import Lock
from typing import Any

from edgeinfer.events import Entry, Gap


class Account:
    """Safe from any thread. The hash is the SHA-256 of all ids in the order of seq, a line break after each."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._clear()

    def _clear(self) -> None:
        self._first = self._last = self._count = 0
        self._hash = sha256()

    def add(self, entries: Iterable[Entry]) -> None:
        """In the order of seq."""
        with self._lock:
            for entry in entries:
                self._first = self._first or entry.seq
                self._last = entry.seq
                self._count += 1
                self._hash.update(f"{entry.id}\n".encode())

    def close(self) -> dict[str, Any]:
        """The facts of all since the last time; empty when there was nothing."""
        with self._lock:
            if not self._count:
                return {}
            facts: dict[str, Any] = {"first": self._first, "last": self._last, "count": self._count}
            facts |= {"ids_sha256": self._hash.hexdigest()}
            self._clear()
            return facts


def late(entries: Sequence[Entry | Gap], after_seq: int, newest: int) -> dict[str, Any]:
    """The facts of decisions that a daemon which died had not told: those that the outbox still has, and how many it lost."""
    account, there = Account(), [entry for entry in entries if isinstance(entry, Entry)]
    account.add(there)
    missing = newest - after_seq - len(there)
    if not there:
        return {"first": after_seq + 1, "last": newest, "count": 0, "missing": missing}
    return account.close() | ({"missing": missing} if missing else {})
