"""The root topic of a sink, from the template that a user wrote; knows no broker."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from edgeinfer.errors import InputError, nearest

_FORBIDDEN = "+#\0"


def fill(template: str, values: Mapping[str, str]) -> str:
    """`template` with its placeholders filled: `plant/{line}/{device}`.

    Raises:
        InputError: a placeholder is not known or has no value, a level is empty, or there is a wildcard.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise InputError(
            f"topic {template!r}: {error}; a placeholder is a name in braces: {{device}}"
        ) from error
    root = "".join(text + _value(template, name, values) for text, name, _, _ in parts)
    if not root or any(c in root for c in _FORBIDDEN) or "" in root.split("/"):
        raise InputError(
            f"topic {template!r} gives {root!r}: it must have no wildcard (+ #), no empty level, no slash at its ends"
        )
    return root


def _value(template: str, name: str | None, values: Mapping[str, str]) -> str:
    if name is None:
        return ""
    if name not in values:
        known = ", ".join(f"{{{known}}}" for known in values)
        raise InputError(
            f"topic {template!r}: no placeholder {{{name}}}{nearest(name, values)} (there are: {known})"
        )
    if not values[name]:
        raise InputError(f'topic {template!r}: {{{name}}} has no value; write {name} = "…" beside the topic')
    return values[name]
