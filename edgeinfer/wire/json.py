"""Decisions as JSON, one topic a rule; docs/messages.md is the same for the one who subscribes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from edgeinfer.events import Entry, Gap, Message, State
from edgeinfer.ports import Delivery, EncoderPlace
from edgeinfer.wire.batches import Group, grouped, is_number
from edgeinfer.wire.bodies import VERSION, DecisionBody, GapBody, StateBody
from edgeinfer.wire.times import iso

_encode = msgspec.json.Encoder().encode
_JSON = "application/json"
_USUAL = Delivery()
_PLAIN = frozenset({str, int, bool, type(None)})  # most of what there is: looked up, not asked in turn


class _Shown(NamedTuple):
    seq: int
    state: State | None
    since: str


class Json:
    """The envelope of docs/messages.md under `{topic}/decision/{rule}`, the last state under `{topic}/state/{rule}`."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """Nothing to choose."""

    listens: tuple[str, ...] = ()
    confirm_s = 0.0

    def __init__(self, options: Options, place: EncoderPlace) -> None:  # noqa: ARG002  every encoder has options
        self._device, self._root, self._delivery = place.device, place.topic, place.delivery
        self._decision_topic = f"{place.topic}/{place.decision_topic}"
        self._batches = place.batches
        self._topics: dict[tuple[str, str], str] = {}  # rule and source → decision topic
        self._shown: dict[str, _Shown] = {}  # rule → the state that stands at the broker

    def heard(self, topic: str, payload: bytes) -> None:
        """Listens to nobody."""

    def wants_birth(self) -> bool:
        return False

    def awaits(self) -> str:
        return ""

    def will(self) -> Message:
        return self._status("offline")

    def birth(self, states: Sequence[Entry], gone: Sequence[str]) -> list[Message]:
        """States first and status last, so that nobody reads an old state as a valid one."""
        rules = {entry.decision.rule for entry in states}
        self._shown = {rule: shown for rule, shown in self._shown.items() if rule in rules}
        cleared = [Message(self._topic("state", rule), b"", retain=True) for rule in gone]
        return [*cleared, *map(self._state, states), self._status("online")]

    def encode(self, batch: Sequence[Entry | Gap]) -> list[Message]:
        """The decision carries the seq; the state follows it, for the last decision of each rule in the batch.

        A decision that is older than the state at the broker (a backlog from before the birth), or whose rule was
        not part of the birth, changes no state.
        """
        last = {item.decision.rule: item.seq for item in batch if isinstance(item, Entry)}
        if self._batches:
            return self._encode_batches(batch, last)
        messages = []
        for item in batch:
            if isinstance(item, Gap):
                messages.append(self._gap(item))
                continue
            messages.append(self._decision(item))
            if last[item.decision.rule] == item.seq and self._is_news(item):
                messages.append(self._state(item))
        return messages

    def thumbnail(self, rule: str, decision: str, jpeg: bytes) -> list[Message]:
        """QoS 0: a picture that comes late is of no use, and none is kept for it."""
        topic, user = self._topic("thumbnail", rule), (("id", decision),)
        return [Message(topic, jpeg, 0, content_type="image/jpeg", user=user)]

    def _encode_batches(self, batch: Sequence[Entry | Gap], last: Mapping[str, int]) -> list[Message]:
        """The same, with the numbers of a rule in one message."""
        messages = []
        for item in grouped(batch):
            if isinstance(item, Gap):
                messages.append(self._gap(item))
                continue
            messages.append(self._decisions(item))
            newest = item.entries[-1]
            if last[newest.decision.rule] == newest.seq and self._is_news(newest):
                messages.append(self._state(newest))
        return messages

    def _is_news(self, entry: Entry) -> bool:
        rule = entry.decision.rule
        return rule in self._shown and entry.seq > self._shown[rule].seq

    def pulse(self, count: int, health: Mapping[str, Any] | None) -> list[Message]:
        messages = [Message(f"{self._root}/heartbeat", b"%d" % count, qos=0)]
        if health is not None:
            body = _encode(finite({"v": VERSION, "device": self._device, **health}))
            messages.append(Message(f"{self._root}/health", body, retain=True, content_type=_JSON))
        return messages

    def farewell(self, states: Sequence[Entry]) -> list[Message]:
        return [*map(self._state, states), self._status("offline")]

    def _decision(self, entry: Entry) -> Message:
        rule = entry.decision.rule
        topic = self._topic_of(rule, entry.decision.key[0])
        delivery = self._delivery.get(rule, _USUAL)
        body = _encode(envelope(entry))
        return Message(topic, body, delivery.qos, bool(delivery.retain), entry.seq, _JSON, who(entry))

    def _decisions(self, group: Group) -> Message:
        """Numbers are an array always, so that a subscriber need not look; what lies between two comes in other arrays."""
        first = group.entries[0]
        alone = replace(self._decision(first), seq=group.settles)
        if not is_number(first):
            return alone
        body = _encode([envelope(entry) for entry in group.entries])
        return replace(alone, payload=body, user=(), carries=tuple(entry.seq for entry in group.entries))

    def _state(self, entry: Entry) -> Message:
        rule, before, at = (
            entry.decision.rule,
            self._shown.get(entry.decision.rule),
            iso(entry.decision.at.unix_ns),
        )
        state = finite(entry.decision.state)
        since = before.since if before and before.state == state else at
        self._shown[rule] = _Shown(entry.seq, state, since)
        body = StateBody(*_fields(entry), since)  # type: ignore[call-arg]  # mypy cannot count them
        qos = self._delivery.get(rule, _USUAL).qos
        return Message(self._topic("state", rule), _encode(body), qos, True, None, _JSON, who(entry))

    def _status(self, word: str) -> Message:
        """Plain text: Home Assistant and others take it as availability without a template."""
        return Message(f"{self._root}/status", word.encode(), retain=True)

    def _gap(self, gap: Gap) -> Message:
        body = GapBody(VERSION, self._device, gap.first, gap.last, gap.last - gap.first + 1)
        return Message(f"{self._root}/gap", _encode(body), seq=gap.last, content_type=_JSON)

    def _topic_of(self, rule: str, source: str) -> str:
        topic = self._topics.get((rule, source))
        if topic is None:
            topic = self._decision_topic.replace("{rule}", rule).replace("{source}", source)
            self._topics[rule, source] = topic
        return topic

    def _topic(self, kind: str, rule: str) -> str:
        return f"{self._root}/{kind}/{rule}"


def who(entry: Entry) -> tuple[tuple[str, str], ...]:
    """Which decision a message is about, for who does not look into its payload; a state that nobody decided has none."""
    return (("id", entry.id), ("seq", str(entry.seq))) if entry.id else ()


def envelope(entry: Entry) -> DecisionBody:
    """An entry as JSON can hold it; numbers that JSON has no word for (nan, infinity) become null."""
    return DecisionBody(*_fields(entry))


def _fields(entry: Entry) -> tuple[Any, ...]:
    """In the order of DecisionBody."""
    decision = entry.decision
    return (
        VERSION,
        entry.id,
        entry.seq,
        entry.boot,
        entry.device,
        decision.pipeline,
        decision.rule,
        decision.subject,
        finite(decision.state),
        iso(decision.at.unix_ns),
        decision.at.synced,
        finite(decision.details),
        entry.model,
        entry.config,
        round(entry.age_ms, 1),
    )


def finite(value: Any) -> Any:
    """`value` with None in place of each number that is not finite (RFC 8259 has none of them)."""
    if value.__class__ in _PLAIN:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value
