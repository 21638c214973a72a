"""Types and values in the words of a person who writes a config; used for messages only."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Any

_LONGEST = 40


def found(value: object) -> str:
    """`text 'abc'`, `the whole number 3`, `a list of 2`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text {value if len(value) <= _LONGEST else value[:_LONGEST] + '…'!r}"
    if isinstance(value, int):
        return f"the whole number {value}"
    if isinstance(value, float):
        return f"the number {value}"
    if isinstance(value, list):
        tables = value and all(isinstance(item, dict) for item in value)
        return f"a list of {len(value)}{' tables' if tables else ''}"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, (date, time)):
        return f"the date or time {value}"
    return f"{value!r}"


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
    if isinstance(info, (inspect.IntType, inspect.FloatType)):
        return ("a whole number" if isinstance(info, inspect.IntType) else "a number") + _bounds(info)
    if isinstance(info, inspect.StrType):
        return f"text that matches {info.pattern}" if info.pattern else f"text{_length(info, 'characters')}"
    if isinstance(info, inspect.BoolType):
        return "true or false"
    if isinstance(info, inspect.TupleType):
        return f"a list [{', '.join(_words(t, inspect) for t in info.item_types)}]"
    if isinstance(info, (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)):
        return f"a list{_length(info, 'items')} (each {_words(info.item_type, inspect)})"
    if isinstance(info, (inspect.DictType, inspect.StructType, inspect.DataclassType, inspect.TypedDictType)):
        return "a table"
    return "text" if getattr(info, "cls", None) is Path else "another value"


def _bounds(info: Any) -> str:
    limits = (
        ("of at least", info.ge),
        ("greater than", info.gt),
        ("of at most", info.le),
        ("less than", info.lt),
        ("that is a multiple of", info.multiple_of),
    )
    told = [f"{words} {limit:g}" for words, limit in limits if limit is not None]
    return f" {' and '.join(told)}" if told else ""


def _length(info: Any, what: str) -> str:
    least, most = info.min_length, info.max_length
    told = [f"at least {least}"] if least else []
    told += [f"at most {most}"] if most is not None else []
    return f" of {' and '.join(told)} {what}" if told else ""
