"""The newest entries in memory, without a hole in their numbers; knows nothing of disks or bounds."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import islice

from edgeinfer.events import Entry, Gap


class Tail:
    """A queue of entries that can be read from any seq on; not thread-safe."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def first(self) -> int:
        """The oldest seq here; beyond every seq when there is none."""
        return self._entries[0].seq if self._entries else sys.maxsize

    def extend(self, entries: Iterable[Entry]) -> None:
        """`entries` follow the newest one without a hole."""
        self._entries.extend(entries)

    def drop(self) -> None:
        """Forgets the oldest."""
        self._entries.popleft()

    def after(self, seq: int, limit: int) -> list[Entry]:
        """At most `limit` entries behind `seq`."""
        start = max(0, seq + 1 - self.first)
        return list(islice(self._entries, start, start + max(limit, 0)))


def with_gaps(after_seq: int, entries: Iterable[Entry]) -> Iterator[Entry | Gap]:
    """Numbers are dense, so that a hole is what a bound dropped."""
    for entry in entries:
        if entry.seq > after_seq + 1:
            yield Gap(after_seq + 1, entry.seq - 1)
        yield entry
        after_seq = entry.seq
