"""The root topic of a sink, from the template that a user wrote; knows no broker."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from edgeinfer.errors import InputError, nearest

_FORBIDDEN = "+#\0"


def fill(template: str, values: Mapping[str, str], key: str = "topic") -> str:
    """`template` with its placeholders filled: `plant/{line}/{device}`; `key` is where it was written.

    Raises:
        InputError: a placeholder is not known or has no value, a level is empty, or there is a wildcard.
    """
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise InputError(
            f"{key} {template!r}: {error}; a placeholder is a name in braces: {{device}}"
        ) from error
    root = "".join(text + _value(template, name, values, key) for text, name, _, _ in parts)
    if not root or any(c in root for c in _FORBIDDEN) or "" in root.split("/"):
        raise InputError(
            f"{key} {template!r} gives {root!r}: it must have no wildcard (+ #), no empty level, no slash at its ends"
        )
    return root


def _value(template: str, name: str | None, values: Mapping[str, str], key: str) -> str:
    if name is None:
        return ""
    if name not in values:
        known = ", ".join(f"{{{known}}}" for known in values)
        raise InputError(
            f"{key} {template!r}: no placeholder {{{name}}}{nearest(name, values)} (there are: {known})"
        )
    if not values[name]:
        raise InputError(f'{key} {template!r}: {{{name}}} has no value; write {name} = "…" beside it')
    return values[name]


def check_below(template: str) -> None:
    """That `template` can stand below a root for each decision: `{source}/decision/{rule}`.

    Raises:
        InputError: it has another placeholder than {rule} and {source}, a wildcard or an empty level, or it does not
            end in `decision/{rule}`.
    """
    fill(template, {"rule": "rule", "source": "source"}, "decision_topic")
    if f"/{template}".endswith("/decision/{rule}"):
        return
    raise InputError(
        f"decision_topic {template!r}: it must end in decision/{{rule}}, by which subscribers know a decision"
    )
