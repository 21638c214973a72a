"""What a pipeline knows beside its pictures: the last part number, recipe and so on; decides nothing by it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edgeinfer.events import Decision, Readings, Trigger
from edgeinfer.runtime.mailbox import Item


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
            last = dict(zip(item.channels, item.values[-1].tolist(), strict=True))
            self._values |= {name: _text(last[name]) for name in self._names if name in last}

    def value(self, name: str) -> str | None:
        """None: not known (yet), or not one of the names."""
        return self._values.get(name)

    def on(self, decisions: Sequence[Decision]) -> Sequence[Decision]:
        """The same with `context` in their details."""
        if not self._names or not decisions:
            return decisions
        known: Mapping[str, str | None] = dict(self._values)
        return [replace(one, details={**one.details, "context": known}) for one in decisions]


def _text(value: float) -> str | None:
    """4711.0 is "4711": a part number that came as a number matches one that came as text."""
    if not math.isfinite(value):
        return None
    return str(int(value)) if value == int(value) else repr(value)
