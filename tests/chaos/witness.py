"""What one stream of decisions looked like to whoever received it: numbers, ids, steps back, and what was said.

Independent of edgeinfer: it reads payloads as a stranger would, by docs/messages.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import paho.mqtt.client as paho

from tests.fixtures.brokers import Mosquitto, Subscriber

COMMAND = "command"  # the rule of what became of a command: docs/commands.md


class Details(msgspec.Struct):
    value: float | None = None
    reason: str = ""


class Body(msgspec.Struct):
    seq: int
    id: str
    rule: str
    state: str | float | None
    details: Details


class Gap(msgspec.Struct):
    first: int
    last: int


@dataclass
class Stream:
    """One receiver's. `ids` has the id that holds for each number; one that a restart took back is in `taken_back`.

    `values` has the number that each decision is about, 0 for `unknown` and commands; `steps` are first arrivals behind a higher
    number: (highest, seq).
    """

    ids: dict[int, str] = field(default_factory=dict)
    rules: dict[int, str] = field(default_factory=dict)
    values: dict[int, int] = field(default_factory=dict)
    taken_back: set[str] = field(default_factory=set)
    steps: list[tuple[int, int]] = field(default_factory=list)
    gaps: list[tuple[int, int]] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    repeats: int = 0
    highest: int = 0

    def take(self, payload: bytes) -> None:
        try:
            body = msgspec.json.decode(payload, type=Body)
        except msgspec.DecodeError as error:
            self.strange.append(f"{error}: {payload[:200]!r}")
            return
        before = self.ids.get(body.seq)
        if body.id == before or body.id in self.taken_back:
            self.repeats += 1
            return
        if before is not None:
            self.taken_back.add(before)
        if body.seq <= self.highest:
            self.steps.append((self.highest, body.seq))
        self.highest = body.seq
        self.ids[body.seq] = body.id
        self.rules[body.seq] = body.rule
        self.values[body.seq] = self._value(body)

    def _value(self, body: Body) -> int:
        value = body.details.value
        if body.rule == COMMAND:
            return 0
        if body.state == "unknown" and value is None:
            return 0
        if value is None or (body.state, value > 0) not in {("on", True), ("off", False)}:
            self.strange.append(f"{body.seq}: {body.rule} is {body.state} at {value}")
            return 0
        return round(value)

    def gap(self, payload: bytes) -> None:
        gap = msgspec.json.decode(payload, type=Gap)
        self.gaps.append((gap.first, gap.last))

    def told(self, seq: int) -> bool:
        return any(first <= seq <= last for first, last in self.gaps)


class Witness(Subscriber):
    """Receives at the broker itself, in a durable session; keeps `streams` and the last retained `states`."""

    def __init__(self, broker: Mosquitto, roots: Mapping[str, str]) -> None:
        self.streams = {name: Stream() for name in roots}
        self.states: dict[str, dict[str, bytes]] = {name: {} for name in roots}
        self.status: dict[str, bytes] = {}
        self._names = {root: name for name, root in roots.items()}
        super().__init__(broker, "#", client_id="witness")

    def _on_message(self, _client: object, _userdata: object, message: paho.MQTTMessage) -> None:
        root, kind, rest = ([*message.topic.rsplit("/", 2), ""])[:3]
        if kind in ("decision", "state"):
            name = self._names[root]
            if kind == "decision":
                self.streams[name].take(message.payload)
            else:
                self.states[name][rest] = message.payload
            return
        root, _, kind = message.topic.rpartition("/")
        if kind == "gap":
            self.streams[self._names[root]].gap(message.payload)
        elif kind == "status":
            self.status[self._names[root]] = message.payload


def of_file(path: Path) -> Stream:
    """A jsonl sink's file, read at the end; its gaps are lines too."""
    stream = Stream()
    with path.open("rb") as file:
        for line in file:
            if b'"dropped"' in line:
                stream.gap(line)
            else:
                stream.take(line)
    return stream
