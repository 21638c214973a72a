"""Devices as their retained messages and heartbeats show them to a stranger; pure: it is told the time."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from edgeinfer.wire.bodies import HealthBody

HEARTBEAT_S = 5.0
FRESH_S = 3 * HEARTBEAT_S
"""A device that is online and whose heartbeat stands still for longer is not: a broker or bridge keeps an old status."""

FIRST_S = HEARTBEAT_S + 2
"""Within this the first heartbeat comes to a listener: a device that is busy beats a little late."""
_QUIET_S = 1.0
"""A broker tells what is retained at once: who was not heard of in this time after the last one is not there."""


@dataclass(slots=True)
class Seen:
    """What one device has said so far; times are the listener's."""

    status: str = "?"
    health: HealthBody | None = None
    heartbeat_s: float | None = None  # when the last one came
    since_s: float = 0.0  # when the listener first heard of the device

    def condition(self, now_s: float) -> str:
        """`ok`, `degraded`, `offline`, `silent` (online, but its heartbeat stands still) or `?`."""
        if self.status != "online":
            return self.status
        last_s, bound_s = (self.since_s, FIRST_S) if self.heartbeat_s is None else (self.heartbeat_s, FRESH_S)
        if now_s - last_s > bound_s:
            return "silent"
        return self.health.condition if self.health else "?"

    @property
    def told(self) -> bool:
        """Whether all that a device says regularly was heard; one that is not online says nothing more."""
        return self.status != "online" or (self.heartbeat_s is not None and self.health is not None)

    @property
    def models(self) -> list[str]:
        """The bundles that run, each once."""
        posts = self.health.posts.values() if self.health else ()
        return sorted({str(post["model"]) for post in posts if post.get("model")})

    @property
    def p95_ms(self) -> float | None:
        """The slowest pipeline's p95 from capture to decision."""
        posts = self.health.posts.values() if self.health else ()
        found = [post.get("latency_ms", {}).get("total", {}).get("p95") for post in posts]
        return max((float(value) for value in found if value is not None), default=None)


@dataclass(slots=True)
class Roster:
    """All devices by their root topic."""

    devices: dict[str, Seen] = field(default_factory=dict)

    def settled(self, now_s: float) -> bool:
        """Whether listening for longer brings nothing new: all have told, and no other came for a while."""
        last_s = max((seen.since_s for seen in self.devices.values()), default=now_s)
        return now_s - last_s > _QUIET_S and all(seen.told for seen in self.devices.values())

    def take(self, topic: str, payload: bytes, now_s: float) -> None:
        """A message on `{topic}/status`, `/health` or `/heartbeat`; what cannot be read is passed over."""
        root, _, kind = topic.rpartition("/")
        seen = self.devices.setdefault(root, Seen(since_s=now_s))
        if kind == "status":
            seen.status = payload.decode(errors="replace") or "gone"
        elif kind == "heartbeat":
            seen.heartbeat_s = now_s
        elif kind == "health":
            try:
                seen.health = msgspec.json.decode(payload, type=HealthBody)
            except msgspec.DecodeError:
                seen.health = None
