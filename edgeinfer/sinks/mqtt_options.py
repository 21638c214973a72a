"""What a user may write in a `[sink.NAME]` of kind "mqtt", and what it means; connects to nothing."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from edgeinfer.mqtt import access
from edgeinfer.mqtt.access import Access
from edgeinfer.ports import CommandName, Delivery
from edgeinfer.sinks.topics import check_below, fill

Rate = Annotated[float, msgspec.Meta(ge=0)]


class MqttOptions(Access, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """docs/configuration.md says what each is for; `rules` says it for one rule."""

    topic: str = "edgeinfer/{device}"
    decision_topic: str = "decision/{rule}"
    encoding: str = "json"
    also: tuple[str, ...] = ()
    encodings: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    rules: dict[str, Delivery] = msgspec.field(default_factory=dict)
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
    check_below(options.decision_topic)
