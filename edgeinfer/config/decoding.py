"""A part's options to the `Options` of its plugin; finds everything that is wrong with them, not only the first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from edgeinfer.config.parts import Part, Where
from edgeinfer.config.words import choices, expected, found
from edgeinfer.errors import InputError, Problem, nearest

T = TypeVar("T", bound=msgspec.Struct)

# Compiled when something is wrong, not at import: a daemon starts with configs that are right.
_PLACE = r"(?s)(.*?)(?: - at `\$(.*)`)?"  # msgspec's "… - at `$[0].x`"
_STEP = r"\[(\d+)\]|\.([^.\[]+)"
_SOME_VALUE = "[...]"  # of a table
_SUBJECT = r"['\"`]?([A-Za-z0-9_-]+)"


def decode(part: Part, options_type: type[T], problems: list[Problem]) -> T | None:
    """The options of `part` as an `options_type`, or None after telling in `problems` all that is wrong.

    Unknown keys, missing keys, wrong types and values (also in tables within), and what the type's own
    `__post_init__` refuses with a ValueError or InputError.
    """
    before = len(problems)
    _check(part.options, options_type, part.where, problems)
    if len(problems) > before:
        return None
    try:
        return msgspec.convert(part.options, options_type, dec_hook=_hook)
    except (msgspec.ValidationError, InputError) as error:
        problems.append(blame(part, options_type, error))
        return None


def blame(part: Part, options_type: type[msgspec.Struct], error: Exception) -> Problem:
    """The problem that `error` is; it stands at the key with whose name the message begins (`zone: …`), or at the part."""
    words, steps = _split(str(error))
    subject = re.match(_SUBJECT, words)
    if not steps and subject and subject[1] in options_type.__struct_encode_fields__:
        steps = [subject[1]]
        words = words.removeprefix(f"{subject[1]}: ")  # the place says it already
    return Problem(part.where.at(*steps), words)


def _check(
    options: Mapping[str, Any], options_type: type[msgspec.Struct], where: Where, problems: list[Problem]
) -> None:
    fields = {field.encode_name: field for field in msgspec.structs.fields(options_type)}
    for key, value in options.items():
        if key in fields:
            _check_field(value, fields[key].type, where.inside(key), problems)
        else:
            hint = nearest(key, fields) or f" (there are: {', '.join(fields)})" * bool(fields)
            problems.append(Problem(where.at(key), f"unknown key{hint}"))
    for key, field in fields.items():
        if field.required and key not in options:
            problems.append(
                Problem(where.at(), f"the key {key!r} is missing; expected {expected(field.type)}")
            )


def _check_field(value: object, kind: Any, where: Where, problems: list[Problem]) -> None:
    inner = _struct_in(kind)
    if inner is not None and isinstance(value, dict):
        _check(value, inner, where, problems)
        return
    values = _values_in(kind)
    if values is not None and isinstance(value, dict):
        for key, item in value.items():
            _check_field(item, values, where.inside(key), problems)
        return
    try:
        msgspec.convert(value, kind, dec_hook=_hook)
    except msgspec.ValidationError as error:
        _tell(value, kind, where, str(error), problems)
    except InputError as error:
        problems.append(Problem(where.at(), str(error)))


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The one struct that `kind` is, or may be beside None; not one within a table."""
    for option in _alternatives(kind):
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return option
    return None


def _values_in(kind: Any) -> Any:
    """The type of the values where `kind` is, or may be, a table of any keys; else None."""
    return next((get_args(k)[-1] for k in _alternatives(kind) if get_origin(k) in (dict, Mapping)), None)


def _tell(value: object, kind: Any, where: Where, message: str, problems: list[Problem]) -> None:
    words, steps = _split(message)
    for step in steps:
        value = value[step]  # type: ignore[index]  # msgspec walked this way before us
    inner, place = _step_into(kind, steps), where.inside(*steps)
    if isinstance(value, dict) and _SOME_VALUE in message and _values_in(inner) is not None:
        _check_field(value, inner, place, problems)  # msgspec does not say which of its values
    elif not words.startswith(("Expected", "Invalid")):  # a sentence of our own, from a ValueError
        problems.append(Problem(place.at(), words))
    else:
        hint = nearest(value, choices(inner)) if isinstance(value, str) else ""
        problems.append(Problem(place.at(), f"expected {expected(inner)}, found {found(value)}{hint}"))


def _step_into(kind: Any, steps: Sequence[str | int]) -> Any:
    """The type at the place inside of `kind` to which `steps` lead; as far as the types know the way."""
    for step in steps:
        for option in _alternatives(kind):
            inner = _at(option, step)
            if inner is not None:
                kind = inner
                break
    return kind


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """What a value of `kind` may be: the members of a union, without the limits of an Annotated."""
    if hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _at(kind: Any, step: str | int) -> Any:
    if hasattr(kind, "__metadata__"):
        kind = kind.__origin__
    if isinstance(step, int):
        inner = [a for a in get_args(kind) if a is not Ellipsis]
        return inner[min(step, len(inner) - 1)] if inner and get_origin(kind) in (list, tuple) else None
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return next((f.type for f in msgspec.structs.fields(kind) if f.encode_name == step), None)
    return _values_in(kind)


def _split(message: str) -> tuple[str, list[str | int]]:
    match = re.fullmatch(_PLACE, message)
    words, place = (match[1], match[2] or "") if match else (message, "")
    place = place.partition(_SOME_VALUE)[0]
    return words, [int(i) if i else name for i, name in re.findall(_STEP, place)]


def _hook(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(
        f"expected text, found {found(value)}" if kind is Path else f"no values of {kind} in a config"
    )
