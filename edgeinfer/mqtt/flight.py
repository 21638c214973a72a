"""What is under way on one connection: which packet is which message of a batch, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence

from paho.mqtt.reasoncodes import ReasonCode

from edgeinfer.events import Acked, Message, Outcome, Refused, Sent

_ACKED, _SENT = Acked(), Sent()


class Flight:
    """One batch at a time; for the thread that has the turn with the client.

    Attributes:
        settled: grows with each message that is settled.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, int] = {}  # packet id → place in the batch
        self._early: dict[int, ReasonCode] = {}  # settled before publish() had returned the packet id (QoS 0)
        self._batch: Sequence[Message] = ()
        self._outcomes: list[Outcome | None] = []
        self.settled = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, batch: Sequence[Message]) -> None:
        self._batch, self._outcomes = batch, [None] * len(batch)

    def refuse(self, place: int, reason: str) -> None:
        self._outcomes[place] = Refused(reason)

    def left(self, place: int, mid: int) -> None:
        """The message at `place` was given to paho as packet `mid`."""
        reason = self._early.pop(mid, None)
        if reason is None:
            self._waiting[mid] = place
        else:
            self._outcomes[place] = _outcome(self._batch[place], reason)

    def settle(self, mid: int, reason: ReasonCode) -> None:
        """QoS 1: acknowledged. QoS 0: written to the socket."""
        place = self._waiting.pop(mid, None)
        if place is None:
            self._early[mid] = reason
        else:
            self._outcomes[place] = _outcome(self._batch[place], reason)
        self.settled += 1

    def outcomes(self) -> list[Outcome]:
        """Of the first messages, up to the first that is not settled."""
        settled: list[Outcome] = []
        for outcome in self._outcomes:
            if outcome is None:
                break
            settled.append(outcome)
        return settled


def _outcome(message: Message, reason: ReasonCode) -> Outcome:
    """MQTT 5 alone tells a refused message from a delivered one; "no matching subscribers" (0x10) is no failure."""
    if reason.is_failure:
        return Refused(f"{message.topic}: {reason}")
    return _ACKED if message.qos else _SENT
