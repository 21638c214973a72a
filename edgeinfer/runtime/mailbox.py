"""Mailboxes between feeds and pipelines: what waits, what is replaced, what is dropped, and in which order.

`newest` keeps the last picture only (what is replaced is counted), `queue` is bounded (a drop becomes
`gap_before`), `lockstep` makes the feed wait so that nothing is ever dropped. Ticks, Lost and Back keep
their place among the samples in all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from threading import Condition

from edgeinfer.events import Decision, Frame, Readings, Sample, Tick
from edgeinfer.ports import Flow, Stop

Item = Sample | Decision

_READ_AHEAD = 2  # lockstep: one sample in work, one made ready meanwhile
_QUEUE = 1024


class Mailbox:
    """What one pipeline has not yet taken of one source. All access is under the inbox's condition."""

    def __init__(self, flow: Flow) -> None:
        self.flow: Flow = flow
        self.items: deque[Item] = deque()
        self.ended = False
        self.dropped = 0
        self._gap = False

    def full(self) -> bool:
        return self.flow == "lockstep" and len(self.items) >= _READ_AHEAD

    def put(self, item: Item) -> None:
        if self._replaces_last(item):
            self.dropped += isinstance(item, Frame)
            self.items[-1] = item
            return
        if len(self.items) >= _QUEUE:
            self._drop_oldest()
        self.items.append(item)

    def _replaces_last(self, item: Item) -> bool:
        if not self.items or self.flow == "lockstep":
            return False
        kinds = (Frame, Tick) if self.flow == "newest" else (Tick,)
        return isinstance(item, kinds) and type(self.items[-1]) is type(item)

    def _drop_oldest(self) -> None:
        self.dropped += 1
        self._gap |= isinstance(self.items.popleft(), Readings)

    def take(self) -> Item:
        item = self.items.popleft()
        if self._gap and isinstance(item, Readings):
            self._gap = False
            item = replace(item, gap_before=True)
        return item


class Inbox:
    """All mailboxes of one pipeline; merges them by time."""

    def __init__(self, flows: Mapping[str, Flow]) -> None:
        self._changed = Condition()
        self.boxes = {source: Mailbox(flow) for source, flow in flows.items()}
        self._closed = False

    def offer(self, source: str, item: Item, stop: Stop | None = None) -> bool:
        """Puts `item`; in lockstep waits for room until `stop` is set. False when it was not taken."""
        box = self.boxes[source]
        with self._changed:
            while box.full():
                if self._closed or (stop is not None and stop.is_set()):
                    return False
                self._changed.wait(0.2)
            box.put(item)
            self._changed.notify_all()
        return True

    def end(self, source: str) -> None:
        """The source has come to its end: no more items."""
        with self._changed:
            self.boxes[source].ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Whoever waits to take is let go: the pipeline stops."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def take(self, timeout_s: float) -> Item | None:
        """The oldest item, or None when none came in time.

        While a lockstep source still owes its next sample, the others wait for it: that makes a replay of
        several sources independent of speed.
        """
        with self._changed:
            if not self._changed.wait_for(self._ready, timeout_s):
                return None
            box = min((b for b in self.boxes.values() if b.items), key=_head_ns, default=None)
            if box is None:
                return None
            item = box.take()
            if box.flow == "lockstep":
                self._changed.notify_all()
            return item

    @property
    def ended(self) -> bool:
        """Whether nothing is left and nothing will come."""
        with self._changed:
            return all(box.ended and not box.items for box in self.boxes.values())

    @property
    def dropped(self) -> int:
        return sum(box.dropped for box in self.boxes.values())

    def _ready(self) -> bool:
        boxes = self.boxes.values()
        owed = any(box.flow == "lockstep" and not box.ended and not box.items for box in boxes)
        there = not owed and any(box.items for box in boxes)
        return there or self._closed or all(box.ended for box in boxes)


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
