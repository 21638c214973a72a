"""Tells health what a serial line lost and what its node counted, seldom enough for a log; counts nothing itself."""

from __future__ import annotations

from collections.abc import Mapping

from edgeinfer.meters import Meters
from edgeinfer.ports import Report
from edgeinfer.protocols import LineProtocol

_EVERY_NS = 10_000_000_000
_OVER_NS = 60_000_000_000
_COUNT_NS = 1_000_000_000


class Loss:
    """Reports the topic `loss` at most every 10 s, takes it back after a minute without; passes the notes on.

    The meters count for good: `lost.CHANNEL` (rows), `bad.KIND`, and `node.COUNTER` as the node told them.
    """

    def __init__(self, protocol: LineProtocol, report: Report, meters: Meters) -> None:
        self._protocol, self._report, self._meters = protocol, report, meters
        self._counted_ns = -_COUNT_NS
        self._told: str | None = None
        self._told_ns = self._changed_ns = -_OVER_NS
        self._notes: dict[str, str] = {}

    def tell(self, now_ns: int) -> None:
        self._pass_notes(now_ns)
        if now_ns - self._counted_ns >= _COUNT_NS:
            self._counted_ns = now_ns
            self._count()
        text = summary(self._protocol)
        if text and text != self._told:
            self._changed_ns = now_ns
            if now_ns - self._told_ns >= _EVERY_NS:
                self._told, self._told_ns = text, now_ns
                self._report("loss", text)
        elif self._told and now_ns - self._changed_ns >= _OVER_NS:
            self._report("loss", None)
            self._changed_ns = now_ns + (1 << 62)  # told back once, until it changes again

    def _count(self) -> None:
        protocol = self._protocol
        for kind, counts in (("lost", protocol.lost), ("bad", protocol.bad), ("node", protocol.told)):
            self._meters.counters.update({f"{kind}.{name}": n for name, n in counts.items()})

    def _pass_notes(self, now_ns: int) -> None:
        notes = dict(self._protocol.notes)
        if notes.keys() == self._notes.keys() and now_ns - self._told_ns < _EVERY_NS:
            return  # the same topics in other words: not each time
        for topic, text in notes.items():
            if self._notes.get(topic) != text:
                self._report(topic, text)
        for topic in self._notes.keys() - notes.keys():
            self._report(topic, None)
        self._notes = notes


def summary(protocol: LineProtocol) -> str:
    """`lost rows: x 3, y 3; bad: frame with a wrong checksum 3`; empty when nothing was."""
    parts = [
        f"{words}: " + ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        for words, counts in (("lost rows", _counted(protocol.lost)), ("bad", _counted(protocol.bad)))
        if counts
    ]
    return "; ".join(parts)


def _counted(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}
