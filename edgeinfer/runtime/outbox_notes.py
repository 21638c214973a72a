"""What the outbox remembers of its sinks: where each stands, and whose state it retains; knows no file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

T = TypeVar("T")


class Notes:
    """Not thread-safe. `read` gives what `encoded` once made, by name.

    `dirty` tells that something differs from the file, `moved` how far the cursors are ahead of it.
    """

    def __init__(self, read: Callable[[str], bytes | None]) -> None:
        self.cursors = _decoded(read("cursors"), dict[str, int])
        self.retained = _decoded(read("retained"), dict[str, set[str]])
        self.connects = _decoded(read("connects"), dict[str, int])
        self.dirty, self.moved = False, 0

    def encoded(self) -> dict[str, bytes]:
        return {
            "cursors": msgspec.msgpack.encode(self.cursors),
            "retained": msgspec.msgpack.encode(self.retained),
            "connects": msgspec.msgpack.encode(self.connects),
        }

    def written(self) -> None:
        self.dirty, self.moved = False, 0

    def retire(self, sinks: Iterable[str], newest: int) -> None:
        """These are all the sinks; new ones start behind `newest`."""
        self.cursors = {sink: self.cursors.get(sink, newest) for sink in sinks}
        self.retained = {sink: rules for sink, rules in self.retained.items() if sink in self.cursors}
        self.connects = {sink: count for sink, count in self.connects.items() if sink in self.cursors}
        self.dirty = True

    def advance(self, sink: str, seq: int) -> bool:
        """Whether that was news."""
        before = self.cursors.get(sink, -1)
        if seq <= before:
            return False
        self.cursors[sink] = seq
        self.dirty, self.moved = True, self.moved + seq - max(before, 0)
        return True

    def count_connect(self, sink: str) -> int:
        """How many there were before this one."""
        before = self.connects.get(sink, 0)
        self.connects[sink] = before + 1
        return before

    def lowest(self, newest: int) -> int:
        """What every sink has; all of it where there is no sink."""
        return min(self.cursors.values(), default=newest)


def _decoded(body: bytes | None, kind: type[T]) -> T:
    return kind() if body is None else msgspec.msgpack.decode(body, type=kind)
