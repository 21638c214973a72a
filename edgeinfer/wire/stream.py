"""What a subscriber can see of the promise: repeats, holes, gaps that were told, disorder and lateness, per device.

Pure: it is given the bodies of messages and the moments at which they came.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import msgspec

from edgeinfer.wire.bodies import DecisionBody, GapBody
from edgeinfer.wire.times import unix_s

_REMEMBERED = 10_000  # ids: more than any broker or courier sends again at once


@dataclass(slots=True)
class Stream:
    """One device's decisions. `holes` are spans of numbers (first, last) that nobody has explained so far."""

    last: int = 0  # the highest seq so far; 0: nothing came yet
    boot: str = ""
    decisions: int = 0
    repeats: int = 0
    told_gaps: int = 0  # decisions that the device itself says are gone
    out_of_order: int = 0
    restarts: int = 0  # of the numbering: a new outbox
    late: int = 0
    worst_s: float = 0.0
    holes: list[tuple[int, int]] = field(default_factory=list)
    _ids: OrderedDict[str, None] = field(default_factory=OrderedDict)

    def take(self, told: DecisionBody, behind_s: float, late_s: float, *, batched: bool = False) -> None:
        """The next decision on this device's topics.

        Args:
            told: its body.
            batched: it came in an array of its rule: what lies between two of them comes in the arrays of others.
            behind_s: how long after `at` it came; right only where both clocks are.
            late_s: from when on that counts as late; what was stored while offline is late by nature.
        """
        if told.id in self._ids:
            self.repeats += 1
            return
        self._remember(told.id)
        self.decisions += 1
        self.late += behind_s > late_s
        self.worst_s = max(self.worst_s, behind_s)
        self._place(told, batched=batched)

    def gap(self, told: GapBody) -> None:
        """The device dropped these, and says so: they are no holes."""
        first = max(told.first, self.last + 1) if self.last else told.first
        self.told_gaps += max(told.last - first + 1, 0)
        self._explain(told.first, told.last)
        self._to(told.last, told.first)

    def _place(self, told: DecisionBody, *, batched: bool) -> None:
        if self._explain(told.seq, told.seq):
            self.out_of_order += not batched
        elif self.last and told.seq <= self.last:
            self._step_back(told)
        else:
            self._to(told.seq, told.seq)
        self.boot = told.boot

    def _step_back(self, told: DecisionBody) -> None:
        """A number that we had, with another id: a new outbox counts from 1 again, in a new run of the daemon."""
        if told.boot != self.boot:
            self.restarts += 1
            self.last, self.holes = told.seq, []
        else:
            self.out_of_order += 1

    def _to(self, seq: int, explained_from: int) -> None:
        """Whatever lies between the last number and what is explained now is a hole; the first one starts the count."""
        if self.last and explained_from > self.last + 1:
            self.holes.append((self.last + 1, explained_from - 1))
        self.last = max(self.last, seq)

    def _explain(self, first: int, last: int) -> bool:
        """Takes `first`..`last` out of the holes; whether any of it was one."""
        left = [part for hole in self.holes for part in _without(hole, first, last)]
        found = left != self.holes
        self.holes = left
        return found

    def _remember(self, id_: str) -> None:
        self._ids[id_] = None
        if len(self._ids) > _REMEMBERED:
            self._ids.popitem(last=False)

    @property
    def missing(self) -> int:
        """How many decisions nobody has explained."""
        return sum(last - first + 1 for first, last in self.holes)

    @property
    def whole(self) -> bool:
        """Nothing is missing that was not told, and first arrivals came in order."""
        return not self.holes and not self.out_of_order


def _without(hole: tuple[int, int], first: int, last: int) -> list[tuple[int, int]]:
    low, high = hole
    if last < low or first > high:
        return [hole]
    return [part for part in ((low, first - 1), (last + 1, high)) if part[0] <= part[1]]


@dataclass(slots=True)
class Streams:
    """All devices on a broker; `foreign` counts messages on our topics that are not ours."""

    late_s: float
    devices: dict[str, Stream] = field(default_factory=dict)
    foreign: int = 0

    def take(self, topic: str, payload: bytes, now_s: float) -> None:
        """A message as it came, at `now_s` (unix); topics that are neither decision nor gap are passed over."""
        levels = topic.split("/")
        try:
            if len(levels) > 1 and levels[-2] == "decision":  # first: a rule may have the name `gap`
                self._take(msgspec.json.decode(payload, type=DecisionBody | list[DecisionBody]), now_s)
            elif levels[-1] == "gap":
                gap = msgspec.json.decode(payload, type=GapBody)
                self._of(gap.device).gap(gap)
        except (msgspec.DecodeError, ValueError):
            self.foreign += 1

    def _take(self, told: DecisionBody | list[DecisionBody], now_s: float) -> None:
        batched = isinstance(told, list)
        for one in told if isinstance(told, list) else [told]:
            self._of(one.device).take(one, now_s - unix_s(one.at), self.late_s, batched=batched)

    def _of(self, device: str) -> Stream:
        return self.devices.setdefault(device, Stream())

    @property
    def whole(self) -> bool:
        return all(stream.whole for stream in self.devices.values())
