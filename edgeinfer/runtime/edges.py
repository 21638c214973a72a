"""What counts as a trigger: a Trigger of the source that is meant, or a channel of it that passes a bound; judges nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from edgeinfer.events import Back, Instant, Lost, Readings, Trigger
from edgeinfer.runtime.context import row_of
from edgeinfer.runtime.mailbox import Item


@dataclass(frozen=True)
class Edge:
    """Of `source`: its Triggers, or (with `channel`) each time that its value comes to lie beyond `bound`.

    Beyond is above it, or below it when `falling`. Passes that follow one another within `apart_ns` are one: a contact
    bounces.
    """

    source: str
    channel: str = ""
    bound: float = 0.5
    falling: bool = False
    apart_ns: int = 0


class Edges:
    """Finds the triggers in what comes, in order."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._was: bool | None = None  # beyond; None: not known, and then nothing has passed
        self._last: Instant | None = None

    def of(self, item: Item) -> Iterator[Trigger]:
        """The triggers in `item`; several in one block of readings, each at the moment and with the values of its row."""
        if item.key[0] != self._edge.source:
            return
        if isinstance(item, Lost | Back):
            self._was = None
        elif isinstance(item, Trigger) and not self._edge.channel:
            yield item
        elif isinstance(item, Readings) and self._edge.channel in item.channels:
            yield from self._in_block(item)

    def _in_block(self, block: Readings) -> Iterator[Trigger]:
        if block.gap_before:
            self._was = None
        column = block.values[:, block.channels.index(self._edge.channel)]
        for row, value in enumerate(column.tolist()):
            if self._passes(value):
                at = block.at.later(row * block.period_ns)
                if self._apart(at):
                    row_says = {name: text for name, text in row_of(block, row).items() if text is not None}
                    yield Trigger(block.key, at, row_says)

    def _passes(self, value: float) -> bool:
        was = self._was
        if math.isnan(value):  # the sensor does not know
            self._was = None
            return False
        self._was = value < self._edge.bound if self._edge.falling else value > self._edge.bound
        return was is False and self._was

    def _apart(self, at: Instant) -> bool:
        last, self._last = self._last, at
        same = last is not None and last.boot == at.boot
        return not (same and last is not None and 0 <= at.mono_ns - last.mono_ns < self._edge.apart_ns)
