"""The frame of a config: its sections, and that each part has a legal name and a kind; no part is looked into."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from edgeinfer.config.parts import SECTIONS, SINGLE, WITH_KIND, Part, Where
from edgeinfer.config.values import device_problem, legal_device
from edgeinfer.config.words import found
from edgeinfer.errors import Problem, nearest

_NAME = re.compile(r"[a-z0-9_-]+")
ADJUSTABLE = "adjustable"
_EXAMPLES = {
    "source": "belt",
    "model": "parts",
    "rule": "scratched",
    "pipeline": "inspection",
    "recipe": "4711",
    "sink": "plant",
}


def device_of(merged: Mapping[str, Any], where: Where, told: list[Problem]) -> str:
    """The device's name: as written, or else the host name made legal."""
    device = merged.get("device")
    if device is None:
        return legal_device(os.uname().nodename)
    wrong = device_problem(device) if isinstance(device, str) else f"expected text, found {found(device)}"
    if wrong:
        told.append(Problem(where.at("device"), wrong))
    return str(device)


def parts_of(merged: Mapping[str, Any], where: Where, told: list[Problem]) -> dict[str, dict[str, Part]]:
    """Section → name → part; what is wrong is appended to `told`."""
    known = ("device", *SECTIONS)
    for key in merged:
        if key not in known:
            hint = nearest(key, known) or f" (there are: {', '.join(known)})"
            told.append(
                Problem(where.at(key), f"unknown {'table' if isinstance(merged[key], dict) else 'key'}{hint}")
            )
    parts = {
        section: _section(section, merged.get(section, {}), where.inside(section), told)
        for section in SECTIONS
        if section not in SINGLE
    }
    return parts | {
        name: {"": _single(name, merged.get(name, {}), where.inside(name), told)} for name in SINGLE
    }


def _single(section: str, table: object, where: Where, told: list[Problem]) -> Part:
    if not isinstance(table, dict):
        told.append(Problem(where.at(), f"expected the table [{section}], found {found(table)}"))
        table = {}
    return Part(section, "", "", table, where)


def _section(section: str, tables: object, where: Where, told: list[Problem]) -> dict[str, Part]:
    example = f"[{section}.{_EXAMPLES[section]}]"
    if not isinstance(tables, dict):
        told.append(
            Problem(
                where.at(), f"each {section} is a table with a name, such as {example}; found {found(tables)}"
            )
        )
        return {}
    plain = [key for key, table in tables.items() if not isinstance(table, dict)]
    if plain:
        message = f"[{section}] has no keys of its own ({', '.join(plain)}): a {section} has a name, write {example}"
        told.append(Problem(where.at(plain[0]), message))
    return {
        name: _part(section, name, table, where.inside(name), told)
        for name, table in tables.items()
        if isinstance(table, dict)
    }


def _part(section: str, name: str, table: Mapping[str, Any], where: Where, told: list[Problem]) -> Part:
    if not _NAME.fullmatch(name):
        told.append(
            Problem(
                where.at(),
                f"the name {name!r} becomes part of topics: only a-z, 0-9, _ and - may stand in it",
            )
        )
    if section not in WITH_KIND:
        return Part(section, name, "", table, where)
    kind = table.get("kind")
    if not isinstance(kind, str) or not kind:
        was = "the key 'kind' is missing" if kind is None else f"expected text, found {found(kind)}"
        told.append(Problem(where.at("kind"), f"{was}: it says what sort of {section} this is"))
        kind = ""
    frame = ("kind", ADJUSTABLE) if section == "rule" else ("kind",)
    options = {key: value for key, value in table.items() if key not in frame}
    return Part(section, name, kind, options, where, _adjustable(section, table, where, told))


def _adjustable(
    section: str, table: Mapping[str, Any], where: Where, told: list[Problem]
) -> Mapping[str, Any]:
    limits = table.get(ADJUSTABLE, {}) if section == "rule" else {}
    if isinstance(limits, dict):
        return limits
    told.append(
        Problem(
            where.at(ADJUSTABLE), f"expected a table such as {{ score = [0.4, 0.9] }}, found {found(limits)}"
        )
    )
    return {}
