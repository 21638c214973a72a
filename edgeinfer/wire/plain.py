"""States as bare words or numbers, for PLCs and dashboards that parse no JSON; docs/messages.md has the topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from edgeinfer.events import Entry, Gap, Message, State
from edgeinfer.ports import Delivery, EncoderPlace
from edgeinfer.wire.json import Json, finite, who

_USUAL = Delivery()


class Plain:
    """`on`, `off`, `unknown` or a number under `{topic}/state/{rule}`; status, heartbeat, health and gap as JSON has them.

    There are no decision topics: who wants each change with its number subscribes to a sink of encoding `json`.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """The words: `on = "1"`, for instance."""

        on: str = "on"
        off: str = "off"
        unknown: str = "unknown"

    listens: tuple[str, ...] = ()
    confirm_s = 0.0

    def __init__(self, options: Options, place: EncoderPlace) -> None:
        self._words: Mapping[State, str] = {"on": options.on, "off": options.off, "unknown": options.unknown}
        self._root, self._rest = place.topic, Json(Json.Options(), place)
        self._delivery = place.delivery
        self._shown: dict[str, int] = {}  # rule → seq of the state that stands at the broker

    def heard(self, topic: str, payload: bytes) -> None:
        """Listens to nobody."""

    def wants_birth(self) -> bool:
        return False

    def awaits(self) -> str:
        return ""

    def will(self) -> Message:
        return self._rest.will()

    def birth(self, states: Sequence[Entry], gone: Sequence[str]) -> list[Message]:
        self._shown = {entry.decision.rule: entry.seq for entry in states}
        return [*self._rest.birth([], gone)[:-1], *map(self._state, states), *self._rest.birth([], [])]

    def encode(self, batch: Sequence[Entry | Gap]) -> list[Message]:
        """Every change, in order: a PLC counts edges. What is older than the state at the broker changes nothing."""
        messages = []
        for item in batch:
            if isinstance(item, Gap):
                messages += self._rest.encode([item])
            elif self._shown.get(item.decision.rule, item.seq) < item.seq:
                self._shown[item.decision.rule] = item.seq
                messages.append(self._state(item, item.seq))
        return messages

    def pulse(self, count: int, health: Mapping[str, Any] | None) -> list[Message]:
        return self._rest.pulse(count, health)

    def farewell(self, states: Sequence[Entry]) -> list[Message]:
        return [*map(self._state, states), *self._rest.farewell([])]

    def _state(self, entry: Entry, seq: int | None = None) -> Message:
        state = finite(entry.decision.state)
        word = self._words["unknown"] if state is None else self._words.get(state, f"{state}")
        topic = f"{self._root}/state/{entry.decision.rule}"
        delivery = self._delivery.get(entry.decision.rule, _USUAL)
        retain = delivery.retain is not False
        return Message(topic, word.encode(), delivery.qos, retain, seq, user=who(entry))
