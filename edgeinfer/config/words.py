"""Types and values in the words of a person who writes a config; used for messages only."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Any

_LONGEST = 40
_FOUND: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "{}"),
    (str, "text {!r}"),
    (int, "the whole number {}"),
    (float, "the number {}"),
    (list, "a list of {}"),
    (dict, "a table"),
    ((date, time), "the date or time {}"),
)


def found(value: object) -> str:
    """`text 'abc'`, `the whole number 3`, `a list of 2`."""
    form = next((form for kind, form in _FOUND if isinstance(value, kind)), "{!r}")
    if isinstance(value, str) and len(value) > _LONGEST:
        value = value[:_LONGEST] + "…"
    if isinstance(value, bool):
        value = str(value).lower()
    return form.format(len(value) if isinstance(value, list) else value)


def expected(kind: Any) -> str:
    """What a field of type `kind` takes: `a number of at least 0 and at most 1`, `one of "centre", "foot"`."""
    from msgspec import inspect  # only needed when something is wrong

    return _words(inspect.type_info(kind), inspect)


def choices(kind: Any) -> list[str]:
    """The texts that a literal or enum (or a union with one) allows; empty for other types."""
    from msgspec import inspect

    info = inspect.type_info(kind)
    options = info.types if isinstance(info, inspect.UnionType) else (info,)
    values = [v for o in options if isinstance(o, inspect.LiteralType) for v in o.values]
    return [v for v in values if isinstance(v, str)]


def _words(info: Any, inspect: Any) -> str:
    if isinstance(info, inspect.UnionType):
        options = [_words(o, inspect) for o in info.types if not isinstance(o, inspect.NoneType)]
        return " or ".join(dict.fromkeys(options))
    if isinstance(info, inspect.LiteralType):
        shown = ", ".join(f'"{v}"' if isinstance(v, str) else str(v) for v in info.values)
        return f"one of {shown}" if len(info.values) > 1 else shown
    if isinstance(info, inspect.TupleType):
        return f"a list [{', '.join(_words(t, inspect) for t in info.item_types)}]"
    if hasattr(info, "item_type"):
        return f"a list{_length(info, 'items')} (each {_words(info.item_type, inspect)})"
    return _plain(info, inspect)


def _plain(info: Any, inspect: Any) -> str:
    if isinstance(info, inspect.StrType):
        return f"text that matches {info.pattern}" if info.pattern else f"text{_length(info, 'characters')}"
    plain = {
        inspect.IntType: "a whole number",
        inspect.FloatType: "a number",
        inspect.BoolType: "true or false",
        inspect.DateTimeType: "a date and time, such as 2026-01-31T12:00:00Z",
        inspect.DictType: "a table",
        inspect.StructType: "a table",
    }
    if getattr(info, "cls", None) is Path:
        return "text"
    return plain.get(type(info), "another value") + _bounds(info)


def _bounds(info: Any) -> str:
    limits = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
    told = [(words, limit) for name, words in limits if (limit := getattr(info, name, None)) is not None]
    return " of " + " and ".join(f"{words} {limit:g}" for words, limit in told) if told else ""


def _length(info: Any, what: str) -> str:
    least, most = info.min_length, info.max_length
    told = [f"at least {least}"] if least else []
    told += [f"at most {most}"] if most is not None else []
    return f" of {' and '.join(told)} {what}" if told else ""
