"""Which Sparkplug metrics a device has, from rules and decisions; docs/sparkplug.md has the same as a table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from edgeinfer.events import Entry, Gap, State
from edgeinfer.ports import StateKind
from edgeinfer.wire.json import envelope, finite
from edgeinfer.wire.sparkplug_payload import DataType, Metric, Value

REBIRTH = "Node Control/Rebirth"
BDSEQ = "bdSeq"
_json = msgspec.json.Encoder().encode
_STATES: Mapping[StateKind, DataType] = {"binary": DataType.BOOLEAN, "number": DataType.DOUBLE}


@dataclass(frozen=True, slots=True)
class Told:
    """A metric before it has an alias and a time of its own."""

    name: str
    type: DataType
    value: Value = None

    def metric(self, at_ms: int, alias: int | None = None, *, historical: bool = False) -> Metric:
        return Metric(self.name, self.type, self.value, at_ms, alias, historical)


def bdseq(number: int) -> Told:
    """Which connection this is; the same in a birth and in the death that belongs to it."""
    return Told(BDSEQ, DataType.INT64, number)


def node(device: str, version: str) -> list[Told]:
    """What is said of the edge node, at its birth; null is what nobody knows yet."""
    return [
        Told("Properties/device", DataType.STRING, device),
        Told("Properties/version", DataType.STRING, version),
        *heartbeat(None),
        *health(None),
        *gap(None),
        Told("former", DataType.STRING),
    ]


def heartbeat(count: int | None) -> list[Told]:
    return [Told("heartbeat", DataType.UINT64, count)]


def health(told: Mapping[str, Any] | None) -> list[Told]:
    """The condition, what is degraded (JSON: part to reason), and which configuration runs."""
    known = told or {}
    condition, config, degraded = known.get("condition"), known.get("config"), known.get("degraded")
    return [
        Told("health/condition", DataType.STRING, condition),
        Told("health/config", DataType.STRING, config),
        Told("health/degraded", DataType.STRING, None if degraded is None else _json(degraded).decode()),
    ]


def gap(told: Gap | None) -> list[Told]:
    """Decisions that were dropped before this sink had them."""
    first, last = (told.first, told.last) if told else (None, None)
    return [Told("gap/first", DataType.UINT64, first), Told("gap/last", DataType.UINT64, last)]


def former(entry: Entry) -> list[Told]:
    """A decision of a rule that has left the config, and so has no metrics: its envelope of docs/messages.md."""
    return [Told("former", DataType.STRING, _json(envelope(entry)).decode())]


def rule(entry: Entry, kind: StateKind) -> list[Told]:
    """The state of a rule and what belongs to it; no id and no number where nobody decided."""
    decision, name = entry.decision, entry.decision.rule
    return [
        Told(f"{name}/state", _STATES[kind], state_value(kind, decision.state)),
        Told(f"{name}/id", DataType.STRING, entry.id or None),
        Told(f"{name}/seq", DataType.UINT64, entry.seq if entry.id else None),
        Told(f"{name}/subject", DataType.STRING, decision.subject or None),
        Told(f"{name}/details", DataType.STRING, _json(finite(decision.details)).decode()),
    ]


def state_value(kind: StateKind, state: State) -> Value:
    """`on` and `off` as truth, a number as a number; null for what is unknown, or not finite, or not of this kind."""
    if isinstance(state, str):
        return {"on": True, "off": False}.get(state) if kind == "binary" else None
    value = finite(float(state))
    return None if value is None or kind == "binary" else float(value)


def by_pipeline(states: Sequence[Entry]) -> Iterator[tuple[str, list[Entry]]]:
    """The last entries of the rules, for each pipeline, in the order of the config."""
    found: dict[str, list[Entry]] = {}
    for entry in states:
        found.setdefault(entry.decision.pipeline, []).append(entry)
    yield from found.items()
