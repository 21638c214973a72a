"""What a message on a subscribed topic says: numbers by channel, or the context of a trigger. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from edgeinfer.mqtt import filters

_LONGEST_BYTES = 1_000_000  # what no reading needs; parsing more would hold up those behind it
_NOTHING = object()
_WORDS = {"true": 1.0, "false": 0.0, "on": 1.0, "off": 0.0}


class Channel(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """value = raw x scale + offset. `value` is a path into JSON; without it the payload is the number. No `topic`: all."""

    topic: str = ""
    value: str = ""
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""


class Bad(Exception):  # noqa: N818  reads as what it is
    """A payload that says nothing: `kind` is counted, `text` is told once for each kind."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text


def numbers(topic: str, payload: bytes, channels: Mapping[str, Channel]) -> dict[str, float]:
    """The channels that stand in this message, in their units.

    Raises:
        Bad: none of them does, or one is not a finite number.
    """
    asked = {name: c for name, c in channels.items() if not c.topic or filters.matches(c.topic, topic)}
    if not asked:
        raise Bad("topic", f"{topic}: no channel is for this topic")
    _check_size(topic, payload)
    root = _json(topic, payload) if any(c.value for c in asked.values()) else None
    found = {name: _raw(payload, root, c) for name, c in asked.items()}
    there = {name: raw for name, raw in found.items() if raw is not _NOTHING}
    if not there:
        paths = ", ".join(repr(c.value) for c in asked.values())
        raise Bad("path", f"{topic}: there is no {paths} in {_shown(payload)}")
    return {name: _number(topic, raw) * asked[name].scale + asked[name].offset for name, raw in there.items()}


def context(topic: str, payload: bytes, paths: Mapping[str, str]) -> dict[str, str]:
    """The text at each of `paths`; an empty path is the whole payload.

    Raises:
        Bad: one is not there, or it is no text, number or truth.
    """
    _check_size(topic, payload)
    root = _json(topic, payload) if any(paths.values()) else None
    found = {}
    for name, path in paths.items():
        value = _at(root, path) if path else _text(topic, payload)
        if not isinstance(value, str | int | float):
            raise Bad(
                "context", f"{topic}: expected {name} at {path!r} as text or number, in {_shown(payload)}"
            )
        found[name] = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return found


def _raw(payload: bytes, root: Any, channel: Channel) -> Any:
    return _at(root, channel.value) if channel.value else payload.decode("utf-8", "replace")


def _at(root: Any, path: str) -> Any:
    """`data.temps.0`; a leading `$.` is how others write the same."""
    value = root
    for step in path.removeprefix("$").removeprefix(".").split("."):
        if isinstance(value, dict):
            value = value.get(step, _NOTHING)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _NOTHING
    return value


def _number(topic: str, raw: Any) -> float:
    try:
        value = _WORDS.get(raw.strip().lower(), raw) if isinstance(raw, str) else raw
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise Bad("number", f"{topic}: expected a number, found {_shown(str(raw).encode())}")
    return number


def _json(topic: str, payload: bytes) -> Any:
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Bad("json", f"{topic}: expected JSON, found {_shown(payload)} ({error})") from None


def _text(topic: str, payload: bytes) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Bad("context", f"{topic}: expected UTF-8 text, found {_shown(payload)}") from None


def _check_size(topic: str, payload: bytes) -> None:
    if len(payload) > _LONGEST_BYTES:
        raise Bad("size", f"{topic}: {len(payload)} bytes are more than {_LONGEST_BYTES}")


def _shown(payload: bytes) -> str:
    return repr(payload[:60].decode("utf-8", "replace")) + "…" * (len(payload) > 60)
