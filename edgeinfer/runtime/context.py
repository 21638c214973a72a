"""What a pipeline knows beside its pictures: the last part number, recipe and so on; decides nothing by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgeinfer.events import Decision, Readings, Trigger
from edgeinfer.runtime.mailbox import Item

Known = Mapping[str, str | None]
"""Name → value as text; None: not known."""


class Context:
    """The last values of `names`, as text: out of triggers, and out of readings whose channel has the name."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self._names = tuple(names)
        self._values: dict[str, str | None] = dict.fromkeys(self._names)

    def learn(self, item: Item) -> None:
        """A reading that is not a number says that the value is not known."""
        if not self._names:
            return
        if isinstance(item, Trigger):
            self._values |= {name: item.context[name] for name in self._names if name in item.context}
        elif isinstance(item, Readings) and len(item.values):
            last = row_of(item, -1)
            self._values |= {name: last[name] for name in self._names if name in last}

    def value(self, name: str) -> str | None:
        """None: not known (yet), or not one of the names."""
        return self._values.get(name)

    def now(self) -> Known:
        """All of them, as they are."""
        return dict(self._values)

    def on(self, decisions: Sequence[Decision], known: Known | None = None) -> Sequence[Decision]:
        """The same with `context` in their details: what is known now, or what was `known` then."""
        if not self._names or not decisions:
            return decisions
        known = self.now() if known is None else known
        return [replace(one, details={**one.details, "context": known}) for one in decisions]


def row_of(block: Readings, row: int) -> Known:
    """A row of readings as context; 4711.0 is "4711": a part that came as a number matches one that came as text."""
    return {
        name: _text(value) for name, value in zip(block.channels, block.values[row].tolist(), strict=True)
    }


def _text(value: float) -> str | None:
    """None for what is no number."""
    if not math.isfinite(value):
        return None
    return str(int(value)) if value == int(value) else repr(value)
