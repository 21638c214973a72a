"""Tables of TOML to frozen structs, all problems at once, each with its key path and the nearest right name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

from edgeinfer.errors import Problem, nearest

T = TypeVar("T", bound=msgspec.Struct)

_AT = re.compile(r" - at `\$?(.*?)`$")


def struct_of(kind: type[T], table: Mapping[str, Any], where: str, problems: list[Problem]) -> T | None:
    """`table` as a `kind`, or None after what is wrong was appended to `problems`.

    Args:
        kind: a struct; its fields are all keys that may be written.
        table: what the TOML reader gave.
        where: the key path of the table itself ("input"), "" for the root.
        problems: grows by one entry for each wrong, missing or unknown key.
    """
    before = len(problems)
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    problems += [
        Problem(joined(where, key), f"there is no such key{nearest(key, fields)}")
        for key in table
        if key not in fields
    ]
    for key, field in fields.items():
        if key in table:
            _check(table[key], field.type, joined(where, key), problems)
        elif field.required:
            problems.append(Problem(joined(where, key), f"is missing: expected {_expected(field.type)}"))
    return _build(kind, table, where, problems) if len(problems) == before else None


def _build(kind: type[T], table: Mapping[str, Any], where: str, problems: list[Problem]) -> T | None:
    """What only the whole struct can judge (`__post_init__` of a plugin's Options) is a problem as well."""
    try:
        return msgspec.convert(dict(table), kind)
    except msgspec.ValidationError as error:
        problems.append(Problem(where or "the whole file", _AT.sub("", str(error))))
        return None


def joined(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key


def _check(value: Any, kind: Any, where: str, problems: list[Problem]) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        found = _AT.search(str(error))
        path = where + (found[1] if found else "")
        text = _AT.sub("", str(error)).replace("Expected", "expected")
        problems.append(Problem(path, f"{text} (found: {_shown(value)})"))


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _expected(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(repr(choice) for choice in get_args(kind))
    if get_origin(kind) is Annotated:
        return _expected(get_args(kind)[0])
    names = {str: "a text", float: "a number", int: "a whole number", bool: "true or false"}
    return names.get(kind, "a table" if get_origin(kind) is dict else "a value")
