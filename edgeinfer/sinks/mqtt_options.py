"""What a user may write in a `[sink.NAME]` of kind "mqtt", and what it means; connects to nothing."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.mqtt import access
from edgeinfer.mqtt.access import Access, Use
from edgeinfer.ports import CommandName, Delivery
from edgeinfer.sinks.topics import check_below, fill

_U32 = 4_294_967_295  # expiry intervals are four bytes (MQTT 5, 3.3.2.3.3 and 3.1.2.11.2)

Seconds = Annotated[int, msgspec.Meta(ge=0, le=_U32)]
Rate = Annotated[float, msgspec.Meta(ge=0)]


class MqttOptions(Access, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """docs/configuration.md says what each is for; `rules` says it for one rule."""

    topic: str = "edgeinfer/{device}"
    decision_topic: str = "decision/{rule}"
    encoding: str = "json"
    also: tuple[str, ...] = ()
    encodings: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    rules: dict[str, Delivery] = msgspec.field(default_factory=dict)
    in_flight: int = 20
    ack_timeout_s: float = 10.0
    expire_s: Seconds = 0
    session_expiry_s: Seconds = 0
    batch_s: Annotated[float, msgspec.Meta(ge=0, le=3600)] = 0.0
    max_messages_s: Rate = 0.0
    max_bytes_s: Rate = 0.0
    site: str = ""
    area: str = ""
    line: str = ""
    cell: str = ""
    commands: tuple[CommandName, ...] = ()


def root(options: MqttOptions, device: str) -> str:
    """The root topic with all placeholders filled.

    Raises:
        InputError: the template cannot be filled.
    """
    names = ("site", "area", "line", "cell")
    return fill(options.topic, {"device": device, **{name: getattr(options, name) for name in names}})


def check(options: MqttOptions) -> None:
    """Raises InputError for what no type can say."""
    access.check(options)
    if options.in_flight < 1 or options.ack_timeout_s <= 0:
        raise InputError("in_flight must be at least 1, and ack_timeout_s more than 0")
    if options.version == 3 and (options.expire_s or options.session_expiry_s):
        raise InputError("version: expire_s and session_expiry_s need MQTT 5, and version = 3 forbids it")
    check_below(options.decision_topic)
    if options.batch_s and options.encoding != "json":
        raise InputError(
            f"batch_s: only the encoding json puts numbers together, and this is {options.encoding!r}"
        )


def use(options: MqttOptions) -> Use:
    """How its connections are used."""
    return Use(options.in_flight, options.ack_timeout_s, options.expire_s, options.session_expiry_s)
