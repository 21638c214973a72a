"""One event to one line of JSON and back, without loss; pixels stay outside, as the name of a picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import msgspec

from edgeinfer.events import (
    Back,
    Decision,
    Detection,
    Finding,
    Frame,
    Inference,
    Instant,
    Key,
    Keypoints,
    Lost,
    Readings,
    Region,
    Score,
    Tick,
    Trigger,
    Value,
)
from edgeinfer.recording.pictures import Picture
from edgeinfer.taps import Event

_PLAIN: dict[str, type] = {"trigger": Trigger, "tick": Tick, "lost": Lost, "back": Back}
_FINDINGS: dict[str, type] = {t.__name__.lower(): t for t in (Detection, Keypoints, Region, Score, Value)}

Load = Callable[[Key, Instant, str], Frame | None]
"""`load(key, at, picture)`: the frame, or None where its picture cannot be read."""


def line_of(seen: Event) -> bytes:
    """The line of anything but a frame, without its line end."""
    body: dict[str, Any] = {"type": type(seen).__name__.lower()}
    body |= {field.name: getattr(seen, field.name) for field in fields(seen)}
    if isinstance(seen, Readings):
        body["values"] = _plain(seen.values.tolist())
    elif isinstance(seen, Inference):
        body["findings"] = [finding_of(finding) for finding in seen.findings]
        if measures := body.pop("measures"):  # none is the rule: older readers know nothing of them
            body["measures"] = _plain(dict(measures))
    return msgspec.json.encode(body)


def frame_line(frame: Frame | Picture, picture: str) -> bytes:
    """The line of a frame whose pixels lie in the file `picture` (below the segment)."""
    return msgspec.json.encode({"type": "frame", "key": frame.key, "at": frame.at, "picture": picture})


def finding_of(finding: Finding) -> dict[str, Any]:
    """A finding with its `type`, as JSON can hold it."""
    return {"type": type(finding).__name__.lower(), **_plain(msgspec.to_builtins(finding))}


def _plain(value: Any) -> Any:
    """The same with texts for numbers that JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, (list, tuple)) else value


def seen_in(raw: dict[str, Any], load: Load) -> Event | None:
    """The event of a line; None for a frame whose picture cannot be read.

    Raises:
        KeyError, TypeError, ValueError: it is no event (msgspec's ValidationError is a ValueError).
    """
    kind = raw.pop("type")
    if kind in _PLAIN:
        return msgspec.convert(raw, _PLAIN[kind])
    if kind == "decision":  # an int stays an int: the id is made of its text
        return replace(msgspec.convert(raw, Decision), state=raw["state"])
    key, at = msgspec.convert(raw.pop("key"), Key), msgspec.convert(raw.pop("at"), Instant)
    if kind == "frame":
        return load(key, at, str(raw["picture"]))
    if kind == "readings":
        return _readings(key, at, raw)
    if kind == "inference":
        findings = tuple(finding_in(finding) for finding in raw["findings"])
        timings = msgspec.convert(raw["timings"], dict[str, int])
        measures = msgspec.convert(raw.get("measures", {}), dict[str, tuple[float, ...]], strict=False)
        return Inference(key, at, findings, str(raw["model"]), timings, measures)
    raise ValueError(f"the unknown type {kind!r}")


def finding_in(raw: dict[str, Any]) -> Finding:
    """The inverse; takes `raw` apart. Raises KeyError or msgspec.ValidationError."""
    kind = _FINDINGS[raw.pop("type")]
    finding: Finding = msgspec.convert(raw, kind, strict=False)  # lax: reads "nan" as a number
    return finding


def _readings(key: Key, at: Instant, raw: dict[str, Any]) -> Readings:
    import numpy as np

    channels = msgspec.convert(raw["channels"], tuple[str, ...])
    rows = msgspec.convert(raw["values"], list[list[float]], strict=False)
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(channels))
    return Readings(key, at, channels, values, int(raw["period_ns"]), bool(raw["gap_before"]))
