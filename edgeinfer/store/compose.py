"""The text of a `manifest.toml` for a bundle that is being made; reads and judges nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from edgeinfer.errors import InputError
from edgeinfer.store.bundle import file_sha256
from edgeinfer.store.find import MANIFEST
from edgeinfer.store.manifest import FORMAT, Golden, Tolerance

_BARE = re.compile(r"[A-Za-z0-9_-]+")
UNKNOWN = "unknown"


class Recipe(Struct, frozen=True, kw_only=True):
    """What a manifest will say. `input`, `outputs` and `decoder` are its tables as they are written there."""

    name: str
    version: str
    variants: Mapping[str, str]
    input: Mapping[str, Any]
    outputs: Mapping[str, str]
    decoder: Mapping[str, Any]
    summary: str = ""
    licence: str = UNKNOWN
    provenance: str = UNKNOWN
    golden: tuple[Golden, ...] = ()
    tolerance: Mapping[str, Tolerance] = {}


def write(folder: Path, recipe: Recipe) -> Path:
    """Writes the manifest of what lies in `folder`; every file there gets its sha256."""
    path = folder / MANIFEST
    path.write_text(compose(recipe, _sums(folder)), encoding="utf-8")
    return path


def _sums(folder: Path) -> dict[str, str]:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    return {p.relative_to(folder).as_posix(): file_sha256(p) for p in files}


def compose(recipe: Recipe, sums: Mapping[str, str]) -> str:
    """The same recipe and sums give the same text, byte for byte."""
    head = {
        "format": FORMAT,
        "name": recipe.name,
        "version": recipe.version,
        "summary": recipe.summary or f"added from {next(iter(recipe.variants.values()))}",
        "licence": recipe.licence,
        "provenance": recipe.provenance,
    }
    blocks = ["\n".join(_lines(head)), _table("variants", recipe.variants), _table("files", sums)]
    blocks += [_table(name, getattr(recipe, name)) for name in ("input", "outputs", "decoder")]
    blocks += [
        _table(f"tolerance.{b}", {"iou": t.iou, "score": t.score}) for b, t in recipe.tolerance.items()
    ]
    blocks += ["\n".join(["[[golden]]", *_lines(_golden(g))]) for g in recipe.golden]
    return "\n\n".join(blocks) + "\n"


def _golden(golden: Golden) -> dict[str, str]:
    plain = {"input": golden.input, "expect": golden.expect}
    return plain if golden.made_of == "picture" else plain | {"made_of": golden.made_of}


def _table(name: str, table: Mapping[str, Any]) -> str:
    return "\n".join([f"[{name}]", *_lines(table)])


def _lines(table: Mapping[str, Any]) -> Iterable[str]:
    return (f"{key if _BARE.fullmatch(key) else value(key)} = {value(v)}" for key, v in table.items())


def value(found: Any) -> str:
    """A TOML value; every JSON string is also a TOML basic string (but for DEL, which no name has)."""
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int | float):
        return repr(found)
    if isinstance(found, str):
        return json.dumps(found.replace("\x7f", ""), ensure_ascii=False)
    if isinstance(found, list | tuple):
        return f"[{', '.join(map(value, found))}]"
    if isinstance(found, Mapping):
        return "{ " + ", ".join(_lines(found)) + " }"
    raise InputError(f"a manifest cannot hold {found!r} of type {type(found).__name__}")
