"""`firmware.toml`: what a package is for and what is in it; read strictly, written always the same way.

Needs nothing but the standard library where that reads TOML (Python 3.11), else `tomli`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firmware_bridge.flash.errors import PackageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = 1
_NAME = re.compile(r"[A-Za-z0-9._+-]{1,64}")
_KEYS = {"format", "board", "name", "version", "flasher", "build", "options", "part"}
_PART_KEYS = {"file", "offset", "length", "crc32", "sha256", "slot", "proof"}


@dataclass(frozen=True, slots=True)
class PartEntry:
    """One file of a package and where in flash it goes."""

    file: str
    offset: int
    length: int
    crc32: int
    sha256: str
    slot: str = ""
    proof: bool = True


@dataclass(frozen=True, slots=True)
class Manifest:
    """`board` is the name that HELLO says; `build` the digest that a board reports which cannot hash its flash."""

    board: str
    name: str
    version: str
    flasher: str
    parts: tuple[PartEntry, ...]
    build: str = ""
    options: Mapping[str, str | int] = field(default_factory=dict)


def dump(manifest: Manifest) -> str:
    """The same manifest gives the same text, byte for byte."""
    head: list[tuple[str, str | int]] = [
        ("format", FORMAT),
        ("board", manifest.board),
        ("name", manifest.name),
    ]
    head += [("version", manifest.version), ("flasher", manifest.flasher)]
    head += [("build", manifest.build)] if manifest.build else []
    lines = [f"{key} = {_value(value)}" for key, value in head]
    if manifest.options:
        lines += ["", "[options]", *(f"{k} = {_value(v)}" for k, v in sorted(manifest.options.items()))]
    for part in manifest.parts:
        lines += ["", "[[part]]", f"file = {_value(part.file)}", f"offset = 0x{part.offset:x}"]
        lines += [f"length = {part.length}", f"crc32 = 0x{part.crc32:08x}", f"sha256 = {_value(part.sha256)}"]
        lines += [f"slot = {_value(part.slot)}"] if part.slot else []
        lines += [] if part.proof else ["proof = false"]
    return "\n".join([*lines, ""])


def _value(value: str | int) -> str:
    return json.dumps(value)  # its escapes are TOML's; what may stand in a word is `name_of`'s to say


def parse(raw: bytes, where: str) -> Manifest:
    """Raises PackageError with the key that is wrong."""
    try:
        table = tomllib.loads(raw.decode())
    except (ValueError, UnicodeDecodeError) as error:
        raise PackageError(f"{where}: firmware.toml cannot be read: {error}") from error
    _check_format(table.get("format"), where)
    _refuse_unknown(table, _KEYS, where)
    parts = table.get("part")
    if not isinstance(parts, list) or not parts:
        raise PackageError(f"{where}: no [[part]] in firmware.toml: nothing would be flashed")
    build = table.get("build", "")
    return Manifest(
        board=name_of(table.get("board"), f"{where}: board"),
        name=name_of(table.get("name"), f"{where}: name"),
        version=name_of(table.get("version"), f"{where}: version"),
        flasher=name_of(table.get("flasher"), f"{where}: flasher"),
        parts=tuple(_part(part, f"{where}: part {n}") for n, part in enumerate(parts, 1)),
        build=name_of(build, f"{where}: build") if build else "",
        options=_options(table.get("options", {}), where),
    )


def _check_format(found: object, where: str) -> None:
    if isinstance(found, int) and found > FORMAT:
        raise PackageError(
            f"{where}: package format {found}, and this edgeinfer reads {FORMAT}: a newer one made it; update this one"
        )
    if found != FORMAT or isinstance(found, bool):
        raise PackageError(f"{where}: format: expected {FORMAT}, found {found!r}; pack it again")


def name_of(value: object, where: str) -> str:
    """A word that may stand in file names, logs and TOML without quoting.

    Raises:
        PackageError: it may not.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value) or value.startswith("."):
        raise PackageError(f"{where}: expected 1 to 64 of A-Z a-z 0-9 . _ + -, found {value!r}")
    return value


def word_of(text: str) -> str:
    """What a node says of itself, as a word that `name_of` takes: "Motor v2 (beta)" becomes "Motor-v2--beta-"."""
    return re.sub(r"[^A-Za-z0-9._+-]", "-", text)[:64].lstrip(".") or "unknown"


def _part(table: Any, where: str) -> PartEntry:
    if not isinstance(table, dict):
        raise PackageError(f"{where}: expected a table, found {table!r}")
    _refuse_unknown(table, _PART_KEYS, where)
    digest = table.get("sha256")
    if not isinstance(digest, str) or not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise PackageError(f"{where}: sha256: expected 64 hexadecimal digits, found {digest!r}")
    slot = table.get("slot", "")
    return PartEntry(
        file=name_of(table.get("file"), f"{where}: file"),
        offset=_number(table.get("offset"), f"{where}: offset"),
        length=_number(table.get("length"), f"{where}: length"),
        crc32=_number(table.get("crc32"), f"{where}: crc32"),
        sha256=digest,
        slot=name_of(slot, f"{where}: slot") if slot else "",
        proof=table.get("proof", True) is True,
    )


def _number(value: object, where: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 32:
        raise PackageError(f"{where}: expected a whole number from 0 to 2^32 - 1, found {value!r}")
    return value


def _options(table: Any, where: str) -> dict[str, str | int]:
    if not isinstance(table, dict):
        raise PackageError(f"{where}: options: expected a table, found {table!r}")
    for key, value in table.items():
        if not isinstance(value, int):
            name_of(value, f"{where}: options.{key}")
    return dict(table)


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    if unknown := sorted(set(table) - known):
        raise PackageError(f"{where}: unknown key {unknown[0]!r} (there are: {', '.join(sorted(known))})")
