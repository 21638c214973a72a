"""What a rule remembers of each identity that it follows; bounded, and says nothing about who is who (`tracking`)."""

from __future__ import annotations

from typing import Generic, TypeVar

from edgeinfer.events import LONGEST_HIDDEN_S, Instant

T = TypeVar("T")

_KEPT_NS = round(LONGEST_HIDDEN_S * 1e9)


class Followed(Generic[T]):
    """Track → what is remembered, of one source. Who was not seen for longer than a track may be hidden is forgotten.

    Another boot is another clock and other tracks: all is forgotten.
    """

    __slots__ = ("_boot", "_swept_ns", "known", "seen_ns")

    def __init__(self) -> None:
        self.known: dict[int, T] = {}
        self.seen_ns: dict[int, int] = {}
        self._boot, self._swept_ns = "", 0

    def look(self, at: Instant) -> None:
        """To be called at each look, before the rest."""
        if at.boot != self._boot:
            self.forget()
            self._boot, self._swept_ns = at.boot, at.mono_ns
        elif at.mono_ns - self._swept_ns > _KEPT_NS:
            self._swept_ns = at.mono_ns
            for track in [t for t, ns in self.seen_ns.items() if at.mono_ns - ns > _KEPT_NS]:
                self.drop(track)

    def put(self, track: int, what: T, at: Instant) -> None:
        self.known[track] = what
        self.seen_ns[track] = at.mono_ns

    def drop(self, track: int) -> None:
        self.known.pop(track, None)
        self.seen_ns.pop(track, None)

    def forget(self) -> None:
        self.known.clear()
        self.seen_ns.clear()
