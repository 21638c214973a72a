"""`manifest.toml`: what a bundle says about itself, as frozen structs; reads text, opens no file.

The reference for whoever writes one is docs/bundles.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from edgeinfer.errors import Problem, nearest
from edgeinfer.store.strict import joined, struct_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")
_TRIPLE = Annotated[tuple[float, ...], Meta(min_length=1, max_length=3)]


class InputOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a picture becomes the input tensor: real = (pixel - mean) / std, then the tensor's own scale."""

    fit: Literal["letterbox", "stretch", "crop"]
    layout: Literal["NHWC", "NCHW"] = "NHWC"
    colour: Literal["RGB", "BGR", "GRAY"] = "RGB"
    mean: float | _TRIPLE = 0.0
    std: float | _TRIPLE = 1.0
    name: str = ""  # of the tensor, where a model has several inputs


class Golden(Struct, frozen=True, forbid_unknown_fields=True):
    """A picture and what this bundle finds in it."""

    input: str
    expect: str


class _Head(Struct, frozen=True, kw_only=True):
    """The root of the file; its tables are read one by one so that every problem is told with its key."""

    format: Literal[1]
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    version: str
    summary: str
    licence: str
    provenance: str
    variants: dict[str, str]
    files: dict[str, str]
    input: dict[str, Any]
    outputs: dict[str, str]
    decoder: dict[str, Any]
    figures: dict[str, Any] = {}
    golden: list[dict[str, Any]] = []


class Manifest(Struct, frozen=True, kw_only=True):
    """A manifest that holds together. `arrays` maps a decoder option ("anchors") to its .npy file."""

    name: str
    version: str
    summary: str
    licence: str
    provenance: str
    variants: Mapping[str, str]
    files: Mapping[str, str]
    input: InputOptions
    outputs: Mapping[str, str]
    decoder: str
    labels: str
    options: Mapping[str, Any]
    arrays: Mapping[str, str]
    figures: Mapping[str, Any]
    golden: tuple[Golden, ...]


def parse(text: str) -> tuple[Manifest | None, list[Problem]]:
    """The manifest, or all that is wrong with it (then the first is None)."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return None, [Problem("the whole file", f"is not TOML: {error}")]
    problems: list[Problem] = []
    if table.get("format", FORMAT) != FORMAT:
        message = f"expected {FORMAT}, found {table['format']!r}: made for another version of edgeinfer"
        return None, [Problem("format", message)]
    head = struct_of(_Head, table, "", problems)
    manifest = _assembled(head, problems) if head else None
    return (None if problems else manifest), problems


def _assembled(head: _Head, problems: list[Problem]) -> Manifest | None:
    options = struct_of(InputOptions, head.input, "input", problems)
    golden = [struct_of(Golden, g, f"golden[{i}]", problems) for i, g in enumerate(head.golden)]
    decoder = dict(head.decoder)
    kind, labels = (_text(decoder, key, problems) for key in ("kind", "labels"))
    if options is not None:
        problems += _input_problems(options)
    whole = {name: getattr(head, name) for name in Manifest.__struct_fields__ if hasattr(head, name)}
    whole |= {"input": options, "golden": tuple(g for g in golden if g), "decoder": kind, "labels": labels}
    arrays = {k: v for k, v in decoder.items() if isinstance(v, str) and v.endswith(".npy")}
    manifest = Manifest(**whole, options=decoder, arrays=arrays)
    problems += _file_problems(manifest)
    return manifest


def _text(decoder: dict[str, Any], key: str, problems: list[Problem]) -> str:
    value = decoder.pop(key, None)
    if not isinstance(value, str) or not value:
        found = "nothing" if value is None else repr(value)
        problems.append(Problem(f"decoder.{key}", f"expected a text, found {found}"))
        return ""
    return value


def _input_problems(options: InputOptions) -> list[Problem]:
    found = []
    channels = 1 if options.colour == "GRAY" else 3
    for key in ("mean", "std"):
        value = getattr(options, key)
        values = value if isinstance(value, tuple) else (value,)
        if len(values) not in {1, channels}:
            text = f"expected one number or {channels} (colour is {options.colour}), found {len(values)}"
            found.append(Problem(f"input.{key}", text))
        if key == "std" and not all(v > 0 for v in values):
            found.append(Problem("input.std", f"expected numbers above 0, found {value!r}"))
    return found


def _file_problems(manifest: Manifest) -> list[Problem]:
    """Paths that leave the bundle, sums that are none, and files that are used but have no sum."""
    found = []
    for name, digest in manifest.files.items():
        where = joined("files", f'"{name}"')
        if name.startswith("/") or ".." in name.split("/"):
            found.append(Problem(where, "leaves the bundle: expected a path inside of it"))
        if not _SHA256.fullmatch(digest):
            found.append(Problem(where, f"expected a sha256 of 64 hex digits (lower case), found {digest!r}"))
    if not manifest.variants:
        found.append(Problem("variants", 'is empty: expected at least cpu = "MODEL.tflite"'))
    for where, name in used_files(manifest):
        if name and name not in manifest.files:
            text = f"{name!r} is not listed in [files]{nearest(name, manifest.files)} (each file that is used needs its sha256)"
            found.append(Problem(where, text))
    return found


def used_files(manifest: Manifest) -> list[tuple[str, str]]:
    """(key path, file) of everything that the runtime or `model verify` opens."""
    used = [(f"variants.{backend}", name) for backend, name in manifest.variants.items()]
    used += [("decoder.labels", manifest.labels)]
    used += [(f"decoder.{key}", name) for key, name in manifest.arrays.items()]
    for i, golden in enumerate(manifest.golden):
        used += [(f"golden[{i}].input", golden.input), (f"golden[{i}].expect", golden.expect)]
    return used


def as_json(manifest: Manifest) -> dict[str, Any]:
    """All of it, as JSON can hold it."""
    plain: dict[str, Any] = msgspec.to_builtins(manifest)
    return plain
