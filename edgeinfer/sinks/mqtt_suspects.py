"""Messages after which a broker throws us out (too large in MQTT 3.1.1, a topic that it hates): they must not block.

MQTT 3.1.1 has no word for "not this one": the broker closes the connection, and an outbox that keeps its order would
send the same message for ever. Who is suspected is sent alone; who was thrown out alone twice is refused from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Message, Outcome, Refused

_TIMES = 2  # thrown out with nothing else under way
_KEPT = 20

_Key = tuple[str, bytes]


class _Link(Protocol):
    thrown_out: bool

    def deliver(self, batch: Sequence[Message]) -> list[Outcome]: ...


class Suspects:
    """Outlives connections; used by the courier's thread only."""

    def __init__(self) -> None:
        self._times: dict[_Key, int] = {}  # how often it was thrown out alone

    def deliver(self, link: _Link, batch: Sequence[Message]) -> list[Outcome]:
        """As `Link.deliver`, with suspects alone and refused ones not at all.

        Raises:
            DeliveryError: the connection was lost before anything was settled.
        """
        outcomes: list[Outcome] = []
        for run in self._runs(batch):
            if self._times.get(_key(run[0]), 0) >= _TIMES:
                outcomes.append(Refused(_reason(run[0])))
                continue
            settled = self._deliver(link, run, first=not outcomes)
            outcomes += settled
            if len(settled) < len(run):
                break
        return outcomes

    def _deliver(self, link: _Link, run: Sequence[Message], *, first: bool) -> list[Outcome]:
        settled: list[Outcome] = []
        try:
            settled = link.deliver(run)
        except DeliveryError:
            if first:
                raise
        finally:
            self._learn(link, run, len(settled))
        return settled

    def _learn(self, link: _Link, run: Sequence[Message], settled: int) -> None:
        for message in run[:settled] if self._times else ():
            self._times.pop(_key(message), None)
        if settled == len(run) or not link.thrown_out:
            return
        key, alone = _key(run[settled]), len(run) == 1
        self._times[key] = self._times.get(key, 0) + (alone and key in self._times)
        if len(self._times) > _KEPT:
            self._times.pop(next(iter(self._times)))

    def _runs(self, batch: Sequence[Message]) -> Iterator[Sequence[Message]]:
        """`batch` cut so that each suspect is alone."""
        if not self._times:
            yield batch
            return
        start = 0
        for n, message in enumerate(batch):
            if _key(message) in self._times:
                if start < n:
                    yield batch[start:n]
                yield batch[n : n + 1]
                start = n + 1
        if start < len(batch):
            yield batch[start:]


def _key(message: Message) -> _Key:
    return message.topic, message.payload


def _reason(message: Message) -> str:
    return (
        f"{message.topic}: the broker closes the connection each time that this message is sent "
        f"({len(message.payload)} bytes): is it over the broker's limit, or its topic not allowed?"
    )
