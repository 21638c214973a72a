"""Finds plugins by entry point; imports only the one that is asked for."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from edgeinfer.errors import InputError, nearest

GROUPS = ("sources", "backends", "decoders", "rules", "encoders", "sinks", "protocols")


@cache
def _group(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=f"edgeinfer.{group}")}


def kinds(group: str) -> list[str]:
    """The names of all plugins of `group`, sorted."""
    return sorted(_group(group))


def find(group: str, kind: str) -> Any:
    """The plugin class.

    Raises:
        InputError: there is none of that name, or its package cannot be imported; says the nearest name.
    """
    point = _group(group).get(kind)
    if point is None:
        known = kinds(group)
        raise InputError(
            f"no {group[:-1]} of kind {kind!r}{nearest(kind, known)} (there are: {', '.join(known)})"
        )
    try:
        return point.load()
    except ImportError as error:
        raise InputError(
            f"the {group[:-1]} {kind!r} needs a package that is not installed: {error}"
        ) from error
