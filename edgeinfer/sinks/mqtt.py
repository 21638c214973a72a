"""Sends messages to an MQTT broker; connects and reconnects by itself, in a thread of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from edgeinfer.events import Message, Outcome, Refused
from edgeinfer.mqtt.pace import Pace
from edgeinfer.ports import SinkPlace
from edgeinfer.sinks.mqtt_dialler import Dialler
from edgeinfer.sinks.mqtt_options import MqttOptions, check, root
from edgeinfer.sinks.mqtt_suspects import Suspects

if TYPE_CHECKING:  # paho takes 80 ms to import: where no broker is configured, nobody pays for it
    from edgeinfer.mqtt.link import Link

_MAX_REFUSED_TOPICS = 20
_MOST = 256  # entries at once


class Mqtt:
    """MQTT 5, or 3.1.1 where the broker knows no better; QoS 1 with many in flight."""

    Options = MqttOptions

    @staticmethod
    def topic_root(options: MqttOptions, device: str) -> str:
        """The root topic with all placeholders filled; raises InputError where it cannot be."""
        return root(options, device)

    @staticmethod
    def published(options: MqttOptions, device: str) -> tuple[str, ...]:
        """Filters of what it publishes: a source that asked for that would hear this device itself."""
        return (f"{root(options, device)}/+/#",)

    def __init__(self, options: MqttOptions, place: SinkPlace) -> None:
        """Reads and checks all files that are named, connects only at the first `wait_ready`.

        Raises:
            InputError: an option is wrong, or a file cannot be read.
        """
        root(options, place.device)
        check(options)
        self._pace = Pace(options.max_messages_s, options.max_bytes_s)
        self.batch_s = options.batch_s
        self._dialler = Dialler(options, place, self._pace)
        self._report = place.report
        self._suspects = Suspects()
        self._refused: dict[str, str] = {}  # topic → why

    @property
    def session(self) -> int:
        return self._dialler.session

    @property
    def batch(self) -> int:
        """How many entries it wants at once, now."""
        return self._pace.batch(_MOST)

    @property
    def _link(self) -> Link | None:
        return self._dialler.link

    def wait_ready(self, timeout_s: float) -> bool:
        return self._dialler.wait_ready(timeout_s)

    def send(self, batch: Sequence[Message]) -> list[Outcome]:
        with self._dialler.lend() as link:
            outcomes = self._suspects.deliver(link, batch)
        self._tell_refused(batch, outcomes)
        return outcomes

    def reconnect(self) -> None:
        self._dialler.hang_up()

    def close(self) -> None:
        """Safe from any thread, and twice; waits a moment for the goodbye."""
        self._dialler.close()

    def _tell_refused(self, batch: Sequence[Message], outcomes: Sequence[Outcome]) -> None:
        before = len(self._refused)
        for message, outcome in zip(batch, outcomes, strict=False):
            if isinstance(outcome, Refused):
                if len(self._refused) < _MAX_REFUSED_TOPICS:
                    self._refused[message.topic] = outcome.reason
            elif self._refused:
                self._refused.pop(message.topic, None)
        if len(self._refused) != before:
            why = "; ".join(reason for _, reason in sorted(self._refused.items()))
            if "Not authorized" in why:
                why += ": allow this user to write there"
            self._report("refused", f"the broker refuses messages: {why}" if why else None)
