"""`catalog.toml`: models that can be added by name, each with its address, sha256, licence and manifest.

It reads the file; fetching is download.py's. The reference for whoever writes one is docs/bundles.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from edgeinfer.config.syntax import SyntaxProblem
from edgeinfer.config.syntax import parse as parse_toml
from edgeinfer.errors import InputError
from edgeinfer.store.find import shipped

CATALOG = "catalog.toml"


class Listed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One entry. `sha256` is of the file behind `url`, or of manifest.toml where `url` is a bundle's folder.

    `url` without http:// or https:// is a path from the catalogue's own folder. A .tflite needs `labels` and
    the tables `input`, `outputs` and `decoder` of its manifest; a packed bundle or a folder brings its own.
    `member` is where the .tflite lies in an archive behind `url`: its name there, after those of archives around it.
    """

    url: Annotated[str, Meta(min_length=1)]
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    member: tuple[str, ...] = ()
    member_sha256: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")] = ""
    summary: str
    licence: str
    provenance: str = "unknown"
    version: str = "1"
    labels: tuple[str, ...] = ()
    input: dict[str, Any] = {}
    outputs: dict[str, str] = {}
    decoder: dict[str, Any] = {}

    @property
    def remote(self) -> bool:
        return self.url.startswith(("http://", "https://"))


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    model: dict[str, Listed]


def default_catalog() -> Path:
    """What comes with edgeinfer."""
    return next((p / CATALOG for p in shipped() if (p / CATALOG).is_file()), shipped()[-1] / CATALOG)


def read_catalog(path: Path) -> dict[str, Listed]:
    """By name; raises InputError with the file and the key that is wrong."""
    try:
        file = msgspec.convert(parse_toml(path.read_text(encoding="utf-8")), _File)
    except OSError as error:
        raise InputError(f"{path}: the catalogue cannot be read: {error.strerror}") from error
    except (SyntaxProblem, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise InputError(f"{path}: {error}") from error
    if file.format != 1:
        raise InputError(f"{path}: format: expected 1, found {file.format}: made for another edgeinfer")
    return file.model
