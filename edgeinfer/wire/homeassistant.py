"""Tells Home Assistant which states there are (device-based MQTT discovery); an addition to `json` or `plain`, pure.

Source: Home Assistant's documentation "MQTT, device discovery payload", and the schema in its package
(components/mqtt/schemas.py of 2026.11): required are `device`, `origin`, and for each component `platform` and,
where it is an entity, `unique_id`. A component with nothing but its platform is removed. The tests have 2025.11 take it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from edgeinfer import __version__
from edgeinfer.events import Entry, Gap, Message
from edgeinfer.ports import EncoderPlace, StateKind

_STATE = "{{ value_json.state if value_json is defined and value_json is mapping else value }}"
"""Of both encodings: JSON's object, or the bare word."""
_HEARTBEAT_S = 5
_PLATFORMS: Mapping[StateKind, str] = {"binary": "binary_sensor", "number": "sensor"}

_encode = msgspec.json.Encoder().encode


class HomeAssistant:
    """One retained message that describes the device; at each connect, and again when Home Assistant starts."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """`prefix` as in Home Assistant's MQTT settings."""

        prefix: str = "homeassistant"

    addition = describes = True
    confirm_s = 0.0

    def __init__(self, options: Options, place: EncoderPlace) -> None:
        self._place, self._prefix = place, options.prefix
        self._key = place.machine_id[:16] or place.device  # stays when the device is given another name
        self.listens: tuple[str, ...] = (f"{options.prefix}/status",)
        self._due = False

    def heard(self, topic: str, payload: bytes) -> None:
        """Home Assistant says `online` when it has started: it has forgotten what is not retained."""
        if topic == self.listens[0] and payload == b"online":
            self._due = True

    def wants_birth(self) -> bool:
        due, self._due = self._due, False
        return due

    def awaits(self) -> str:
        return ""

    def will(self) -> Message | None:
        return None

    def birth(self, states: Sequence[Entry], gone: Sequence[str]) -> list[Message]:  # noqa: ARG002  describes, tells no state
        removed = {
            self._component(platform, rule): {"platform": platform}
            for rule in gone
            for platform in _PLATFORMS.values()
        }
        body = {
            "device": {
                "identifiers": [f"edgeinfer_{self._key}"],
                "name": self._place.device,
                "manufacturer": "edgeinfer",
                "sw_version": __version__,
            },
            "origin": {"name": "edgeinfer", "sw_version": __version__},
            "availability_topic": f"{self._place.topic}/status",
            "qos": 1,
            "components": {**removed, **self._rules(), "heartbeat": self._heartbeat()},
        }
        topic = f"{self._prefix}/device/edgeinfer_{self._key}/config"
        return [Message(topic, _encode(body), retain=True, content_type="application/json")]

    def encode(self, batch: Sequence[Entry | Gap]) -> list[Message]:  # noqa: ARG002  the states speak for themselves
        return []

    def pulse(self, count: int, health: Mapping[str, Any] | None) -> list[Message]:  # noqa: ARG002  as above
        return []

    def farewell(self, states: Sequence[Entry]) -> list[Message]:  # noqa: ARG002  status offline is availability
        return []

    def _rules(self) -> dict[str, dict[str, Any]]:
        return {
            self._component(_PLATFORMS[kind], rule): self._rule(rule, kind)
            for rule, kind in self._place.rules.items()
        }

    def _component(self, platform: str, rule: str) -> str:
        """With the platform in it: what is removed must be named with the platform that it had."""
        return f"{platform}_{rule}"

    def _rule(self, rule: str, kind: StateKind) -> dict[str, Any]:
        topic = f"{self._place.topic}/state/{rule}"
        body: dict[str, Any] = {
            "platform": _PLATFORMS[kind],
            "unique_id": f"edgeinfer_{self._key}_{rule}",
            "name": rule,
            "state_topic": topic,
            "value_template": _STATE,
        }
        if kind == "binary":
            body |= {"payload_on": "on", "payload_off": "off"}
        return body

    def _heartbeat(self) -> dict[str, Any]:
        """Expires by itself where neither device nor broker says anything any more."""
        return {
            "platform": "sensor",
            "unique_id": f"edgeinfer_{self._key}_heartbeat",
            "name": "heartbeat",
            "entity_category": "diagnostic",
            "state_topic": f"{self._place.topic}/heartbeat",
            "expire_after": 3 * _HEARTBEAT_S,
        }
