"""`rule.scratched.score=0.4:0.9:0.05`: which values of which options are tried, and the configs that have them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from itertools import product
from typing import Any

from edgeinfer import registry
from edgeinfer.config import Config
from edgeinfer.errors import InputError, nearest
from edgeinfer.tracking.tracker import TrackOptions

MOST = 500
"""Points of a grid: beyond that somebody mistyped a step."""

_RANGE = "expected a range START:END:STEP or values A,B,C"


@dataclass(frozen=True, slots=True)
class Axis:
    """One option: `section.name.path` and its values."""

    section: str
    name: str
    path: tuple[str, ...]
    values: tuple[float, ...]

    def __str__(self) -> str:
        return ".".join((self.section, self.name, *self.path))


def parse(text: str) -> Axis:
    """An axis as it is written.

    Raises:
        InputError: says what was expected.
    """
    key, equals, values = text.partition("=")
    steps = tuple(key.split("."))
    if not equals or len(steps) < 3 or steps[0] not in {"rule", "pipeline"} or not all(steps):
        raise InputError(
            f"--sweep: expected rule.NAME.KEY=START:END:STEP (or pipeline.NAME.track.KEY=…), found {text!r}"
        )
    if steps[0] == "pipeline" and steps[2] != "track":
        raise InputError(f"--sweep: of a pipeline only track.KEY can be swept, found {key!r}")
    return Axis(steps[0], steps[1], steps[2:], _values(values))


def _values(text: str) -> tuple[float, ...]:
    try:
        if ":" not in text:
            return tuple(_number(Decimal(part), text) for part in text.split(","))
        start, end, step = (Decimal(part) for part in text.split(":"))
        if not all(d.is_finite() for d in (start, end, step)) or step <= 0 or end < start:
            raise InputError(f"--sweep: {_RANGE} with START below END and STEP above 0, found {text!r}")
        count = int((end - start) / step) + 1
    except (InvalidOperation, ValueError, OverflowError):
        raise InputError(f"--sweep: {_RANGE}, found {text!r}") from None
    if count > MOST:
        raise InputError(
            f"--sweep: {text!r} are {count} values, at most {MOST} are tried; take a larger step"
        )
    return tuple(_number(start + n * step, text) for n in range(count))


def _number(value: Decimal, text: str) -> float:
    """Whole numbers stay whole where nothing else is written: some options take no others."""
    return int(value) if re.fullmatch(r"[-\d:,\s]+", text) else float(value)


def grid(axes: Sequence[Axis]) -> list[tuple[float, ...]]:
    """All combinations, the last axis fastest.

    Raises:
        InputError: too many of them.
    """
    points = list(product(*(axis.values for axis in axes)))
    if len(points) > MOST:
        raise InputError(f"--sweep: {len(points)} combinations, at most {MOST} are tried; take larger steps")
    return points


def check(config: Config, axes: Sequence[Axis]) -> None:
    """Whether the config has what is swept.

    Raises:
        InputError: it has no such rule, pipeline or option; names the nearest.
    """
    for axis in axes:
        known = config.of(axis.section)
        if axis.name not in known:
            there = ", ".join(known) or "none"
            hint = nearest(axis.name, known)
            raise InputError(
                f"--sweep {axis}: no [{axis.section}.{axis.name}] in the config{hint} (there are: {there})"
            )
        options = (
            TrackOptions
            if axis.section == "pipeline"
            else registry.find("rules", known[axis.name].kind).Options
        )
        key = axis.path[1] if axis.section == "pipeline" and len(axis.path) > 1 else axis.path[0]
        fields = options.__struct_encode_fields__
        if key not in fields:
            raise InputError(
                f"--sweep {axis}: unknown key {key!r}{nearest(key, fields)} (there are: {', '.join(fields)})"
            )


def with_values(config: Config, axes: Sequence[Axis], point: Sequence[float]) -> Config:
    """The config with these values in place of its own."""
    parts = {section: dict(of) for section, of in config.parts.items()}
    for axis, value in zip(axes, point, strict=True):
        part = parts[axis.section][axis.name]
        parts[axis.section][axis.name] = replace(part, options=_set(part.options, axis.path, value))
    return replace(config, parts=parts)


def _set(options: Mapping[str, Any], path: Sequence[str], value: float) -> dict[str, Any]:
    if len(path) == 1:
        return {**options, path[0]: value}
    inner = options.get(path[0], {})
    return {**options, path[0]: _set(inner if isinstance(inner, dict) else {}, path[1:], value)}
