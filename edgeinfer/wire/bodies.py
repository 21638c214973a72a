"""The bodies of our JSON messages as types: what is published, what `schema messages` prints, what a stranger checks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

VERSION = 1

Time = Annotated[
    str, Meta(description="RFC 3339 in UTC with milliseconds", examples=["2026-11-24T10:59:33.120Z"])
]
Moment = Annotated[datetime, Meta(tz=True)]
Body = Literal["on", "off", "unknown"] | float | int | None


class DecisionBody(msgspec.Struct, frozen=True):
    """A rule's state changed. Fields may be added without another `v`: ignore what you do not know."""

    v: Annotated[int, Meta(description="version of this format")]
    id: Annotated[
        str, Meta(description="names the decision; a repeat has the same; empty where nobody decided")
    ]
    seq: Annotated[int, Meta(ge=0, description="counts the decisions of the device, without holes")]
    boot: Annotated[str, Meta(description="changes when the device was restarted")]
    device: str
    pipeline: str
    rule: str
    subject: Annotated[str, Meta(description="about what: a source, or what the rule names")]
    state: Annotated[Body, Meta(description="null: a number that was not finite")]
    at: Annotated[Time, Meta(description="when the thing was seen, not when it was sent")]
    synced: Annotated[bool, Meta(description="whether the device's clock was set then")]
    details: Annotated[dict[str, Any], Meta(description="what the rule adds: label, score, box, reason, …")]
    model: Annotated[str, Meta(description="which bundle decided; empty without a model")]
    config: Annotated[str, Meta(description="which configuration decided")]
    age_ms: Annotated[float, Meta(description="from capture to the outbox")]


class StateBody(DecisionBody, frozen=True):
    """A rule's state as it is now; retained. Valid only while status is online and the heartbeat moves."""

    since: Annotated[Time, Meta(description="when the rule took this state")]


class GapBody(msgspec.Struct, frozen=True):
    """Decisions `first` to `last` were dropped before this broker had them: the outbox was full."""

    v: int
    device: str
    first: Annotated[int, Meta(ge=1)]
    last: Annotated[int, Meta(ge=1)]
    dropped: Annotated[int, Meta(ge=1)]


class HealthBody(msgspec.Struct, frozen=True):
    """What is well on the device and what is not; `posts` are its parts with counters and latencies."""

    v: int
    device: str
    version: Annotated[str, Meta(description="of edgeinfer")]
    config: Annotated[str, Meta(description="which configuration runs")]
    condition: Literal["ok", "degraded"]
    degraded: Annotated[dict[str, str], Meta(description="part → why it is not well")]
    posts: dict[str, dict[str, Any]]


class CommandBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of a device. Send it again with the same `id` when no answer comes: it is done once."""

    id: Annotated[
        str, Meta(min_length=1, max_length=64, description="names the command: a repeat is not done again")
    ]
    at: Annotated[
        Moment | None, Meta(description="when it was sent; without `expires`: valid for 60 s from then")
    ] = None
    expires: Annotated[Moment | None, Meta(description="not done after this; an hour ahead at most")] = None
    by: Annotated[str, Meta(max_length=64, description="who asks, in their own words; nobody checks it")] = ""
    args: Annotated[
        dict[str, Any], Meta(description="pipeline; key and value; bundle and version; source")
    ] = {}


class ReplyBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a command; `repeated` when it was done earlier and this is the outcome of then."""

    v: int
    device: str
    id: Annotated[str, Meta(description="of the command; empty where it could not be read")]
    command: str
    at: Time
    ok: bool
    outcome: Literal["done", "failed", "refused"]
    reason: Annotated[
        str, Meta(description="why it was refused, in one word: expired, retained, flood, …")
    ] = ""
    error: Annotated[str, Meta(description="the same for people")] = ""
    result: Annotated[Any, Meta(description="what the command gives; of health all that health has")] = None
    repeated: bool = False


BODIES: dict[str, Any] = {  # an array: numbers of a sink with batch_s
    "{topic}/decision/{rule}": DecisionBody | list[DecisionBody],
    "{topic}/state/{rule}": StateBody,
    "{topic}/gap": GapBody,
    "{topic}/health": HealthBody,
    "{topic}/command/{name}": CommandBody,
    "{topic}/reply": ReplyBody,
}
