"""Whether the primary host application is there, from its STATE messages; pure, and knows nothing of metrics.

Source: Sparkplug 3.0.0, 5.4 (an edge node waits for `online: true`) and 5.5 (it leaves after `online: false`); a message
with a timestamp before the last one is an old will that came late, and is passed over.
"""

from __future__ import annotations

import msgspec

TOPIC = "spBv1.0/STATE/{}"


class _State(msgspec.Struct, frozen=True):
    """The payload; `timestamp` in milliseconds, unix."""

    online: bool
    timestamp: int


_decode = msgspec.json.Decoder(_State).decode


class PrimaryHost:
    """One connection at a time: `connecting` begins it, `born` says that we published. `name` "" : nobody is waited for."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.topics: tuple[str, ...] = (TOPIC.format(name),) if name else ()
        self._heard, self._online, self._born, self._left = False, False, False, False
        self._at_ms = 0

    def connecting(self) -> None:
        """What the broker before told is worth nothing: it must be heard on this connection."""
        self._heard = self._online = self._born = self._left = False
        self._at_ms = 0  # a host whose clock was set back must not be deaf for ever

    def born(self) -> None:
        self._born = True

    def take(self, payload: bytes) -> None:
        """A message on the host's topic; what is no STATE of version 3.0 is passed over."""
        try:
            state = _decode(payload)
        except msgspec.DecodeError:
            return
        if state.timestamp < self._at_ms:
            return
        self._at_ms, self._heard, self._online = state.timestamp, True, state.online
        if not state.online and self._born:
            self._left = True  # and stays so when it is back at once: what it missed it must be told anew

    def awaits(self) -> str:
        """Why nothing may be said on this connection now; "" when all may."""
        if not self.name or (self._online and not self._left):
            return ""
        state = "is offline" if self._heard else "has not said on this broker that it is online"
        return f"the primary host {self.name!r} {state} ({self.topics[0]}); decisions wait in the outbox"
