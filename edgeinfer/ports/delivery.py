"""From decisions to messages, and from messages to the other side. Protocols only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import msgspec

from edgeinfer.events import Entry, Gap, Message, Outcome
from edgeinfer.meters import Meters
from edgeinfer.ports.common import Report

StateKind = Literal["binary", "number"]
"""What a rule's state is: on and off, or a number (either may be unknown). A rule may say it as `states`."""


CommandName = Literal["health", "pause", "reload", "resume", "set", "snapshot", "use"]
"""What may be asked through a sink, where the config allows it: `commands = ["pause", "resume"]`."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that came in, with what MQTT 5 says beside it. `expires_in_s` is what is left of its life; None: for ever.

    `retain`: the sender wanted it to stay at the broker, or it did stay there.
    """

    topic: str
    payload: bytes
    retain: bool = False
    response_topic: str = ""
    correlation: bytes = b""
    expires_in_s: int | None = None


def _unheard(_heard: Heard) -> None:
    """Where nobody may ask anything."""


class Delivery(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the messages of one rule are sent: `[sink.NAME.rules.RULE]`; None: as the encoding has it."""

    qos: Literal[0, 1] = 1
    retain: bool | None = None


@dataclass(frozen=True, slots=True)
class EncoderPlace:
    """`delivery` has the rules that are sent in another way than the rest; `decision_topic` is below the root."""

    device: str
    topic: str  # the root
    sink: str
    machine_id: str = ""
    rules: Mapping[str, StateKind] = field(default_factory=dict)
    delivery: Mapping[str, Delivery] = field(default_factory=dict)
    decision_topic: str = "decision/{rule}"
    # Counts the connections of this sink, over restarts of the daemon.
    connects: Callable[[], int] = lambda: 0
    unix_ns: Callable[[], int] = lambda: 0  # now, for formats that want to know when a message was sent
    batches: bool = False  # numbers of a rule travel together


class Encoder(Protocol):
    """Decisions to messages; may hold state of one connection. Pure otherwise.

    One with the attribute `addition = True` speaks beside another, which settles the entries. One with `describes = True`
    tells others of the rules' kinds, and is made anew when they change.
    """

    listens: tuple[str, ...]  # topics that it wants to hear of
    confirm_s: float  # what was sent counts as arrived after so long of unbroken connection; 0: at once

    def heard(self, topic: str, payload: bytes) -> None:
        """A message on one of `listens`; called by another thread than the rest."""
        ...

    def wants_birth(self) -> bool:
        """Whether something was heard that asks for a birth in the same connection; says so once."""
        ...

    def awaits(self) -> str:
        """Why nothing may be said now although there is a connection; "" when all may."""
        ...

    def will(self) -> Message | None:
        """What the broker says for us if we die; asked before each connection, by the thread that connects."""
        ...

    def birth(self, states: Sequence[Entry], gone: Sequence[str]) -> Sequence[Message]:
        """After each connect: status, the last state of each rule; states of rules that are `gone` cleared."""
        ...

    def encode(self, batch: Sequence[Entry | Gap]) -> Sequence[Message]:
        """One or more messages for each entry; the last message of an entry carries its `seq`."""
        ...

    def pulse(self, count: int, health: Mapping[str, Any] | None) -> Sequence[Message]:
        """Heartbeat `count`, and health when it changed."""
        ...

    def farewell(self, states: Sequence[Entry]) -> Sequence[Message]:
        """Before an ordered stop: states unknown, status offline. Nothing where nobody was told of us."""
        ...


def no_will() -> None:
    """The broker says nothing for us."""


@dataclass(frozen=True, slots=True)
class SinkPlace:
    """Where a sink stands. `meters` are those of its post; a thread of the sink counts under names of its own.

    `asked` hears what comes on the topics `asks`: commands for this device. It is called in a thread of the sink, and
    must return at once.
    """

    name: str
    device: str
    machine_id: str
    will: Callable[[], Message | None]  # asked before each connection
    report: Report
    listens: tuple[str, ...] = ()
    heard: Callable[[str, bytes], None] = lambda _topic, _payload: None  # what comes on these topics
    meters: Meters = field(default_factory=Meters)
    asks: tuple[str, ...] = ()
    asked: Callable[[Heard], None] = _unheard


class Sink(Protocol):
    """The other side. Used by one courier thread only; connects and reconnects by itself.

    `session` counts connections: when it changes, the courier sends a birth. 0 means never connected yet. Nothing is sent
    on another connection than the one that `wait_ready` told of last.
    One with the attribute `batch` is given at most so many entries at once: it is slow on purpose. One with `batch_s`
    wants numbers that many seconds late at most, many at a time.
    """

    session: int

    def send(self, batch: Sequence[Message]) -> Sequence[Outcome]:
        """Sends many in flight and waits; outcomes of the first n messages, in order.

        n < len(batch) when the connection broke in between.

        Raises:
            DeliveryError: there is no connection; nothing of this batch is known to have arrived.
        """
        ...

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether there is a connection, after waiting at most so long for one."""
        ...

    def reconnect(self) -> None:
        """Ends the connection in order, and begins another."""
        ...

    def close(self) -> None: ...
