"""How the last decisions came about, in memory: what `explain` is asked of a running daemon; nothing is written."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import Lock

from edgeinfer.events import Entry, Inference
from edgeinfer.taps import Account, Seen

MOST = 1_000
"""Decisions: with ten findings each about 2 MB."""


class Reasons:
    """A tap; the oldest are forgotten, and all of them when the daemon ends."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._lock = most, Lock()
        self._known: OrderedDict[str, tuple[Entry, Account]] = OrderedDict()

    def __call__(self, post: str, seen: Seen) -> None:
        del post
        if isinstance(seen, Account):
            inferred = tuple(one for one in seen.seen if isinstance(one, Inference))
            kept = replace(seen, seen=inferred)  # blocks of readings are large
            with self._lock:
                for entry in seen.entries:
                    self._known[entry.id] = (entry, kept)
                while len(self._known) > self._most:
                    self._known.popitem(last=False)

    def of(self, decision: str) -> tuple[Entry, Account] | None:
        with self._lock:
            return self._known.get(decision)
