"""A part's options to the `Options` of its plugin; finds everything that is wrong with them, not only the first."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from edgeinfer.config.parts import Part, Where
from edgeinfer.config.words import choices, expected, found
from edgeinfer.errors import InputError, Problem, nearest

T = TypeVar("T", bound=msgspec.Struct)

# Compiled when something is wrong, not at import: a daemon starts with configs that are right.
_PLACE = r"(?s)(.*?)(?: - at `\$(.*)`)?"  # msgspec's "… - at `$[0].x`"
_STEP = r"\[(\d+)\]|\.([^.\[]+)"
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
    try:
        msgspec.convert(value, kind, dec_hook=_hook)
    except msgspec.ValidationError as error:
        problems.append(_wrong(value, kind, where, str(error)))
    except InputError as error:
        problems.append(Problem(where.at(), str(error)))


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The one struct that `kind` is, or may be beside None."""
    for option in (kind, *get_args(kind)):
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return option
    return None


def _wrong(value: object, kind: Any, where: Where, message: str) -> Problem:
    words, steps = _split(message)
    culprit = value
    for step in steps:
        culprit = culprit[step]  # type: ignore[index]
    if not words.startswith(("Expected", "Invalid")):  # a sentence of our own, from a ValueError
        return Problem(where.at(*steps), words)
    nested = f" (in {expected(kind)})" if steps else ""
    wanted = expected(_step_into(kind, len(steps)))
    hint = nearest(culprit, choices(kind)) if isinstance(culprit, str) else ""
    return Problem(
        where.at(*steps), f"expected {wanted}, found {found(culprit)}{hint}{nested if not wanted else ''}"
    )


def _step_into(kind: Any, depth: int) -> Any:
    """The type of the items `depth` levels inside of a list type; the type itself where that is not clear."""
    for _ in range(depth):
        inner = [a for a in get_args(kind) if a is not Ellipsis]
        kind = inner[0] if inner else kind
    return kind


def _split(message: str) -> tuple[str, list[str | int]]:
    match = re.fullmatch(_PLACE, message)
    words, place = (match[1], match[2] or "") if match else (message, "")
    return words, [int(i) if i else name for i, name in re.findall(_STEP, place)]


def _hook(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise ValueError(
        f"expected text, found {found(value)}" if kind is Path else f"no values of {kind} in a config"
    )
