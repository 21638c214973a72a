"""An encoding with additions, as one: the additions speak first at a birth, the main one settles the entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from edgeinfer.events import Entry, Gap, Message
from edgeinfer.ports import Encoder


class Several:
    """`main` and what is published beside it on the same connection."""

    def __init__(self, main: Encoder, also: Sequence[Encoder]) -> None:
        self._main, self._also = main, also
        self._all = (*also, main)
        self.confirm_s = main.confirm_s
        self.listens = tuple(topic for encoder in self._all for topic in encoder.listens)

    def heard(self, topic: str, payload: bytes) -> None:
        for encoder in self._all:
            encoder.heard(topic, payload)

    def wants_birth(self) -> bool:
        wanted = [encoder.wants_birth() for encoder in self._all]  # each is asked: it says so only once
        return any(wanted)

    def awaits(self) -> str:
        return self._main.awaits()

    def will(self) -> Message | None:
        return self._main.will()

    def birth(self, states: Sequence[Entry], gone: Sequence[str]) -> list[Message]:
        return [message for encoder in self._all for message in encoder.birth(states, gone)]

    def encode(self, batch: Sequence[Entry | Gap]) -> list[Message]:
        extra = [replace(m, seq=None) for encoder in self._also for m in encoder.encode(batch)]
        return [*extra, *self._main.encode(batch)]

    def thumbnail(self, rule: str, decision: str, jpeg: bytes) -> Sequence[Message]:
        """Where the main one knows thumbnails."""
        encode = getattr(self._main, "thumbnail", None)
        return encode(rule, decision, jpeg) if encode is not None else []

    def pulse(self, count: int, health: Mapping[str, Any] | None) -> list[Message]:
        return [message for encoder in self._all for message in encoder.pulse(count, health)]

    def farewell(self, states: Sequence[Entry]) -> list[Message]:
        return [message for encoder in self._all for message in encoder.farewell(states)]
