"""Decisions as Sparkplug B 3.0: this device is an edge node, each of its pipelines a Sparkplug device; pure.

Source: Eclipse Sparkplug 3.0.0 (ISO/IEC 20237). Everything is sent at QoS 0, not retained and in order, as it demands;
who relies on that must hold a decision back until the connection has held for `confirm_s` (see runtime/window.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from edgeinfer import __version__
from edgeinfer.errors import InputError
from edgeinfer.events import Entry, Gap, Message
from edgeinfer.ports import EncoderPlace
from edgeinfer.wire import sparkplug_metrics as metrics
from edgeinfer.wire.sparkplug_host import PrimaryHost
from edgeinfer.wire.sparkplug_metrics import Told
from edgeinfer.wire.sparkplug_payload import DataType, Metric, Payload, decode, encode

_ROOT = "spBv1.0"
_FORBIDDEN = "+/#"
_MODULO = 256  # of seq and bdSeq


class Sparkplug:
    """One edge node. `will`, `heard` are called by threads of the sink, the rest by the courier's."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """`confirm_s` must outlast two keepalives of the connection (10 s each), or a dead one is not noticed in it."""

        group: str
        edge_node: str = ""
        primary_host: str = ""
        aliases: bool = True
        confirm_s: Annotated[float, msgspec.Meta(ge=0)] = 25.0

    describes = True  # births name the type of each rule's state
    needs = "topic"  # of the sink: there is a broker
    forbids: Mapping[str, str] = {
        "also": "what is there speaks of the topics of json and plain; give it a sink of its own",
        "topic": "Sparkplug has topics of its own, from group and edge_node",
        "decision_topic": "Sparkplug has topics of its own, from group and edge_node",
        "rules": "Sparkplug demands QoS 0 and no retained messages for all rules",
        "session_expiry_s": "Sparkplug demands a clean session",
        "expire_s": "Sparkplug hosts judge age by the timestamp of each metric",
    }

    def __init__(self, options: Options, place: EncoderPlace) -> None:
        """Raises InputError when a name cannot be a level of a topic."""
        self._place, self._aliases, self.confirm_s = place, options.aliases, options.confirm_s
        edge_node = options.edge_node or place.device
        for key, name in (
            ("group", options.group),
            ("edge_node", edge_node),
            ("primary_host", options.primary_host),
        ):
            _check(key, name, optional=key == "primary_host")
        self._group, self._edge_node = options.group, edge_node
        self._host = PrimaryHost(options.primary_host)
        self._commands = self._topic("NCMD")
        self.listens: tuple[str, ...] = (self._commands, *self._host.topics)
        self._rebirth = self._born = False
        self._bdseq = self._seq = 0
        self._known: dict[tuple[str, str], int] = {}  # (device, metric) → alias; "" is the node
        self._devices: dict[str, str] = {}  # rule → the device that it was born in
        self._shown: dict[str, int] = {}  # rule → seq of the state that was born

    # --- what comes from the sink's threads --------------------------------------------------------------

    def will(self) -> Message:
        """For the next connection, with the number that its birth will have."""
        self._born = False
        self._host.connecting()
        self._bdseq = self._place.connects() % _MODULO
        return self._death()

    def heard(self, topic: str, payload: bytes) -> None:
        """STATE of the primary host, or a command to the node: of those there is one, rebirth. The rest is passed over."""
        if topic == self._commands:
            self._rebirth = self._rebirth or _asks_rebirth(payload)
        elif topic in self._host.topics:
            self._host.take(payload)

    # --- what the courier asks ---------------------------------------------------------------------------

    def wants_birth(self) -> bool:
        due, self._rebirth = self._rebirth, False
        return due

    def awaits(self) -> str:
        return self._host.awaits()

    def birth(self, states: Sequence[Entry], gone: Sequence[str]) -> list[Message]:  # noqa: ARG002  nothing is retained
        """The node, then each pipeline; before them the death of those that were there and have left."""
        states = [entry for entry in states if entry.decision.rule in self._place.rules]
        devices = dict(metrics.by_pipeline(states))
        left = [] if not self._born else sorted(set(self._devices.values()) - set(devices))
        dead = [self._message("DDEATH", (), device) for device in left]
        self._known, self._seq = {}, 0
        self._shown = {entry.decision.rule: entry.seq for entry in states}
        self._devices = {entry.decision.rule: entry.decision.pipeline for entry in states}
        self._born = True
        self._host.born()
        return [*dead, self._node_birth(), *(self._device_birth(*device) for device in devices.items())]

    def encode(self, batch: Sequence[Entry | Gap]) -> list[Message]:
        """One message for each entry; historical is what is no newer than the state at the birth."""
        return [self._gap(item) if isinstance(item, Gap) else self._decision(item) for item in batch]

    def pulse(self, count: int, health: Mapping[str, Any] | None) -> list[Message]:
        told = metrics.heartbeat(count) + ([] if health is None else metrics.health(health))
        return [self._message("NDATA", self._told("", told, self._now_ms()))]

    def farewell(self, states: Sequence[Entry]) -> list[Message]:  # noqa: ARG002  a death says it of all
        """Deaths of devices and node; nothing where there was no birth in this connection."""
        if not self._born:
            return []
        self._born = False
        devices = dict.fromkeys(self._devices.values())
        return [*(self._message("DDEATH", (), device) for device in devices), self._death()]

    # --- messages ----------------------------------------------------------------------------------------

    def _death(self) -> Message:
        """QoS 1, as its own standard demands of the will: its acknowledgement tells that all before it has arrived."""
        at_ms = self._now_ms()
        body = encode(Payload(at_ms, (metrics.bdseq(self._bdseq).metric(at_ms),)))
        return Message(self._topic("NDEATH"), body, qos=1)

    def _node_birth(self) -> Message:
        at_ms = self._now_ms()
        # Hosts that forgot all aliases must still be able to ask for a rebirth: these two go by their names.
        always = [metrics.bdseq(self._bdseq), Told(metrics.REBIRTH, DataType.BOOLEAN, value=False)]
        told = metrics.node(self._place.device, __version__)
        born = [one.metric(at_ms) for one in always] + list(self._born_metrics("", told, at_ms))
        return self._message("NBIRTH", born)

    def _device_birth(self, device: str, entries: Sequence[Entry]) -> Message:
        born = [
            metric
            for entry in entries
            for metric in self._born_metrics(
                device, metrics.rule(entry, self._place.rules[entry.decision.rule]), _at_ms(entry)
            )
        ]
        return self._message("DBIRTH", born, device)

    def _decision(self, entry: Entry) -> Message:
        rule, at_ms = entry.decision.rule, _at_ms(entry)
        device = self._devices.get(rule)
        if device is None:  # metrics that were not born may not be sent
            told = self._told("", metrics.former(entry), at_ms, historical=True)
            return self._message("NDATA", told, seq=entry.seq)
        historical = entry.seq <= self._shown[rule]
        told = self._told(device, metrics.rule(entry, self._place.rules[rule]), at_ms, historical=historical)
        return self._message("DDATA", told, device, entry.seq)

    def _gap(self, gap: Gap) -> Message:
        return self._message("NDATA", self._told("", metrics.gap(gap), self._now_ms()), seq=gap.last)

    def _born_metrics(self, device: str, told: Sequence[Told], at_ms: int) -> Iterator[Metric]:
        """With name and alias; an alias is unique in the whole node."""
        for one in told:
            alias = self._known.setdefault((device, one.name), len(self._known) + 1)
            yield one.metric(at_ms, alias if self._aliases else None)

    def _told(
        self, device: str, told: Sequence[Told], at_ms: int, *, historical: bool = False
    ) -> Iterator[Metric]:
        """After the birth: by the alias alone, or by the name alone."""
        for one in told:
            metric = one.metric(at_ms, historical=historical)
            if self._aliases:
                metric = Metric("", one.type, one.value, at_ms, self._known[device, one.name], historical)
            yield metric

    def _message(
        self, kind: str, said: Sequence[Metric] | Iterator[Metric], device: str = "", seq: int | None = None
    ) -> Message:
        number, self._seq = self._seq, (self._seq + 1) % _MODULO
        body = encode(Payload(self._now_ms(), tuple(said), number))
        return Message(self._topic(kind, device), body, qos=0, seq=seq)

    def _topic(self, kind: str, device: str = "") -> str:
        return "/".join([_ROOT, self._group, kind, self._edge_node, *([device] if device else [])])

    def _now_ms(self) -> int:
        return self._place.unix_ns() // 1_000_000


def _check(key: str, name: str, *, optional: bool) -> None:
    if (not name and not optional) or any(c in name for c in _FORBIDDEN) or "\0" in name:
        raise InputError(
            f"{key} {name!r}: expected a name without + / # in it: it becomes a level of a topic"
        )


def _at_ms(entry: Entry) -> int:
    return entry.decision.at.unix_ns // 1_000_000


def _asks_rebirth(payload: bytes) -> bool:
    try:
        told = decode(payload)
    except ValueError:  # UnicodeDecodeError is one
        return False
    return any(metric.name == metrics.REBIRTH and metric.value is True for metric in told.metrics)
