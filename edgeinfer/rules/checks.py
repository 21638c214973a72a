"""Checks of values that several rules take; each message begins with the key, so that it is told at its line."""

from __future__ import annotations

import math
from typing import Annotated

from msgspec import Meta

from edgeinfer.errors import InputError

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
"""The same bounds as below, for the schema and so that a config is told of all of them at once."""


def share(key: str, value: float) -> float:
    """`value`, from 0 to 1."""
    if not 0 <= value <= 1:  # NaN is refused as well
        raise InputError(f"{key}: expected a number from 0 to 1, found {value}")
    return value


def hold_ns(key: str, seconds: float) -> int:
    """Seconds as nanoseconds."""
    if not 0 <= seconds < math.inf:
        raise InputError(f"{key}: expected seconds, 0 or more, found {seconds}")
    return round(seconds * 1e9)


def labels_of(key: str, labels: str | tuple[str, ...]) -> tuple[str, ...]:
    """One label or several, without empty ones, each once and in order."""
    several = (labels,) if isinstance(labels, str) else tuple(labels)
    if any(not label for label in several):
        raise InputError(f"{key}: a label may not be empty")
    return tuple(dict.fromkeys(several))
