"""Mailboxes between feeds and pipelines: what waits, what is replaced, what is dropped, and in which order.

`newest` keeps the last picture only (what is replaced is counted), `queue` is bounded (a drop becomes
`gap_before`), `lockstep` makes the feed wait so that nothing is ever dropped. Ticks, Lost and Back keep
their place among the samples in all of them.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import replace
from threading import Lock

from edgeinfer.events import Decision, Frame, Readings, Sample, Tick
from edgeinfer.ports import Flow, Stop
from edgeinfer.runtime.intake import Intake, Limits

Item = Sample | Decision

READ_AHEAD = 2  # lockstep: one sample in work, one made ready meanwhile
_QUEUE = 1024


class Signal:
    """Wakes the one thread that waits, now or at its next wait; always set under the inbox's lock.

    A plain lock instead of a Condition: that is Python code, and would be the dearest part of handing on a picture.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._lock.acquire()

    def set(self) -> None:
        if self._lock.locked():
            self._lock.release()

    def wait(self, timeout_s: float) -> None:
        """Returns when it is set, or after `timeout_s`; it may also return early."""
        self._lock.acquire(timeout=timeout_s)


class Mailbox:
    """What one pipeline has not yet taken of one source. All access is under the inbox's lock."""

    def __init__(
        self,
        flow: Flow,
        limits: Limits = Limits(),  # noqa: B008  frozen
        ahead: int = READ_AHEAD,
    ) -> None:
        self.flow: Flow = flow
        self._ahead = ahead
        self.intake = Intake(limits)
        self.items: deque[Item] = deque()
        self._put_ns: deque[int] = deque()  # when each of them came
        self.ended = False
        self.dropped = 0
        self._gaps: set[tuple[str, ...]] = set()  # channels of which readings were dropped
        self.room = Signal()

    def full(self) -> bool:
        return self.flow == "lockstep" and len(self.items) >= self._ahead

    def put(self, item: Item) -> None:
        if isinstance(item, Frame) and not self.intake.wants(item):
            return
        if self._replaces_last(item):
            self.dropped += isinstance(item, Frame)
            self.items[-1], self._put_ns[-1] = item, time.monotonic_ns()
            return
        if len(self.items) >= _QUEUE:
            self._drop_oldest()
        self.items.append(item)
        self._put_ns.append(time.monotonic_ns())

    def _replaces_last(self, item: Item) -> bool:
        if not self.items or self.flow == "lockstep":
            return False
        kinds = (Frame, Tick) if self.flow == "newest" else (Tick,)
        return isinstance(item, kinds) and type(self.items[-1]) is type(item)

    def _drop_oldest(self) -> None:
        self.dropped += 1
        self._put_ns.popleft()
        self._remember(self.items.popleft())

    def take(self, now_ns: int) -> tuple[Item | None, int]:
        """The oldest item (None when it is too old to be judged) and how long it waited, in ns."""
        item, waited_ns = self.items.popleft(), now_ns - self._put_ns.popleft()
        if self.flow != "lockstep" and not self.intake.fresh(item, now_ns):
            self._remember(item)
            return None, waited_ns
        if isinstance(item, Readings) and item.channels in self._gaps:
            self._gaps.discard(item.channels)
            item = replace(item, gap_before=True)
        return item, waited_ns

    def _remember(self, dropped: Item) -> None:
        if isinstance(dropped, Readings):
            self._gaps.add(dropped.channels)


class Inbox:
    """All mailboxes of one pipeline; merges them by time. One thread takes, several offer."""

    def __init__(
        self,
        flows: Mapping[str, Flow],
        limits: Limits = Limits(),  # noqa: B008  frozen
        ahead: int = READ_AHEAD,
    ) -> None:
        self._lock, self._filled = Lock(), Signal()
        self.limits = limits
        self.boxes = {source: Mailbox(flow, limits, _ahead(source, ahead)) for source, flow in flows.items()}
        self.live = "lockstep" not in flows.values()  # times of the samples are times of this machine, now
        self.waited_ns = 0  # of the item that was taken last
        self._closed = False

    def offer(self, source: str, item: Item, stop: Stop | None = None) -> bool:
        """Puts `item`; in lockstep waits for room until `stop` is set. False when it was not taken."""
        box = self.boxes[source]
        while True:
            with self._lock:
                if not box.full():
                    box.put(item)
                    self._filled.set()
                    return True
                if self._closed or (stop is not None and stop.is_set()):
                    return False
            box.room.wait(0.2)

    def end(self, source: str) -> None:
        """The source has come to its end: no more items."""
        with self._lock:
            self.boxes[source].ended = True
            self._filled.set()

    def close(self) -> None:
        """Whoever waits is let go: the pipeline stops."""
        with self._lock:
            self._closed = True
            self._filled.set()
            for box in self.boxes.values():
                box.room.set()

    def take(self, timeout_s: float) -> Item | None:
        """The oldest item, or None when none came in time, or when there is nothing more to come.

        While a lockstep source still owes its next sample, the others wait for it: that makes a replay of
        several sources independent of speed.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            with self._lock:
                if self._ready():
                    return self._pop()
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return None
            self._filled.wait(left_s)

    @property
    def ended(self) -> bool:
        """Whether nothing is left and nothing will come."""
        with self._lock:
            return all(box.ended and not box.items for box in self.boxes.values())

    @property
    def dropped(self) -> int:
        """What was replaced by newer ones, or fell out of a full queue."""
        return sum(box.dropped for box in self.boxes.values())

    @property
    def skipped(self) -> Counter[str]:
        """What the intakes did not want, by reason."""
        return sum((box.intake.skipped for box in self.boxes.values()), Counter[str]())

    def keep_one_of(self, n: int) -> None:
        """From now on every n-th picture only: the board is too hot for more."""
        for box in self.boxes.values():
            box.intake.keep_one_of = 1 if box.flow == "lockstep" else n

    def _ready(self) -> bool:
        there = owed = False
        running = False
        for box in self.boxes.values():
            there |= bool(box.items)
            owed |= box.flow == "lockstep" and not box.ended and not box.items
            running |= not box.ended
        return self._closed or (there and not owed) or not running

    def _pop(self) -> Item | None:
        while filled := [box for box in self.boxes.values() if box.items]:
            box = filled[0] if len(filled) == 1 else min(filled, key=_head_ns)
            item, self.waited_ns = box.take(time.monotonic_ns())
            box.room.set()
            if item is not None:
                return item
        return None


def _ahead(source: str, ahead: int) -> int:
    """One pipeline fills the boxes of several of its rules in turn: it must not wait at one while another is awaited."""
    return _QUEUE if source.startswith("rule:") else ahead


def _head_ns(box: Mailbox) -> int:
    return box.items[0].at.mono_ns


class Hub:
    """Who listens to which source: feeds offer here, pipelines subscribe and leave."""

    def __init__(self) -> None:
        self._inboxes: dict[str, tuple[Inbox, ...]] = {}
        self._lost: dict[str, Item] = {}

    def subscribe(self, inbox: Inbox) -> None:
        """From now on `inbox` gets what its sources give; a source that is lost at the moment says so at once."""
        for source in inbox.boxes:
            self._inboxes[source] = (*self._inboxes.get(source, ()), inbox)
            if source in self._lost:
                inbox.offer(source, self._lost[source])

    def inboxes(self) -> set[Inbox]:
        """All that listen at the moment."""
        return {inbox for inboxes in list(self._inboxes.values()) for inbox in inboxes}

    def leave(self, inbox: Inbox) -> None:
        for source in inbox.boxes:
            self._inboxes[source] = tuple(i for i in self._inboxes.get(source, ()) if i is not inbox)

    def offer(self, source: str, item: Item, stop: Stop | None = None) -> None:
        for inbox in self._inboxes.get(source, ()):
            inbox.offer(source, item, stop)

    def lost(self, source: str, item: Item | None) -> None:
        """Remembers that `source` is lost (or, with None, that it is back) for those who come later."""
        if item is None:
            self._lost.pop(source, None)
        else:
            self._lost[source] = item

    def end(self, source: str) -> None:
        for inbox in self._inboxes.get(source, ()):
            inbox.end(source)
