"""`manifest.toml`: what a bundle says about itself, as frozen structs; reads text, opens no file.

The reference for whoever writes one is docs/bundles.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from edgeinfer.config import Part, Where, decode
from edgeinfer.config.lines import lines_of
from edgeinfer.config.syntax import SyntaxProblem
from edgeinfer.config.syntax import parse as parse_toml
from edgeinfer.errors import Problem, nearest
from edgeinfer.store.window import WindowOptions, window_problems

FORMAT = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")
_Numbers = Annotated[tuple[float, ...], Meta(min_length=1, max_length=3)]


class InputOptions(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a picture becomes the input tensor: real = (pixel - mean) / std, then the tensor's own scale."""

    fit: Literal["letterbox", "stretch", "crop"]
    layout: Literal["NHWC", "NCHW"] = "NHWC"
    colour: Literal["RGB", "BGR", "GRAY"] = "RGB"
    mean: float | _Numbers = 0.0
    std: float | _Numbers = 1.0
    name: str = ""  # of the tensor, where a model has several inputs


class Golden(Struct, frozen=True, forbid_unknown_fields=True):
    """A picture and what this bundle finds in it; of seeded noise, which shows nothing, a difference only warns."""

    input: str
    expect: str
    made_of: Literal["picture", "noise"] = "picture"


class Tolerance(Struct, frozen=True, forbid_unknown_fields=True):
    """How far a backend may part from the golden findings: runtimes are not bit-exact.

    One quantum in a box or a logit stays well within the defaults. A value beyond 1 may differ by `score` of it.
    """

    iou: Annotated[float, Meta(gt=0, le=1)] = 0.85
    score: Annotated[float, Meta(ge=0, lt=1)] = 0.05


class _Head(Struct, frozen=True, kw_only=True):
    """The file as it is written."""

    format: int
    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    version: str
    summary: str
    licence: str
    provenance: str
    variants: dict[str, str]
    files: dict[str, str]
    outputs: dict[str, str]
    decoder: dict[str, Any]
    reference: str = ""
    input: InputOptions | None = None
    window: WindowOptions | None = None
    state: dict[str, str] = {}
    figures: dict[str, Any] = {}
    golden: list[dict[str, Any]] = []
    tolerance: dict[str, dict[str, Any]] = {}  # by backend


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that holds together.

    Either `input` (the model takes pictures) or `window` (it takes readings) is there.
    `decoder` has the decoder's kind and options (without `labels`); `arrays` maps those of its options that
    name a .npy file ("anchors") to that file; `state` maps inputs to the outputs that feed them.
    `reference` names the file of what was seen when all was well ("" for none). `where` finds the line of any key.
    """

    name: str
    version: str
    summary: str
    licence: str
    provenance: str
    variants: Mapping[str, str]
    files: Mapping[str, str]
    input: InputOptions | None
    window: WindowOptions | None
    outputs: Mapping[str, str]
    decoder: Part
    labels: str
    arrays: Mapping[str, str]
    state: Mapping[str, str]
    figures: Mapping[str, Any]
    golden: tuple[Golden, ...]
    tolerance: Mapping[str, Tolerance]
    reference: str
    where: Where


def parse(text: str, name: str) -> tuple[Manifest | None, list[Problem]]:
    """The manifest in `text`, or all that is wrong with it (then the first is None); `name` is its file's."""
    try:
        table = parse_toml(text)
    except SyntaxProblem as error:
        return None, [Problem(name, f"is no valid TOML: {error}")]
    where = Where(name, {path: f"{name}:{line}" for path, line in lines_of(text).items()})
    if table.get("format", FORMAT) != FORMAT:
        message = f"expected {FORMAT}, found {table['format']!r}: made for another version of edgeinfer"
        return None, [Problem(where.at("format"), message)]
    problems: list[Problem] = []
    head = decode(Part("", "", "", table, where), _Head, problems)
    manifest = _assembled(head, where, problems) if head else None
    return (None if problems else manifest), problems


def _assembled(head: _Head, where: Where, problems: list[Problem]) -> Manifest:
    golden = [
        decode(Part("", "", "", g, where.inside("golden", i)), Golden, problems)
        for i, g in enumerate(head.golden)
    ]
    tolerance = {
        b: decode(Part("", "", "", t, where.inside("tolerance", b)), Tolerance, problems)
        for b, t in head.tolerance.items()
    }
    options = dict(head.decoder)
    kind, labels = (_text(options, key, where.inside("decoder"), problems) for key in ("kind", "labels"))
    arrays = {k: v for k, v in options.items() if isinstance(v, str) and v.endswith(".npy")}
    same = {
        name: getattr(head, name)
        for name in _Head.__struct_fields__
        if name not in {"format", "decoder", "golden", "tolerance"}
    }
    decoder = Part("", "decoder", kind, options, where.inside("decoder"))
    manifest = Manifest(
        **same,
        decoder=decoder,
        labels=labels,
        arrays=arrays,
        golden=tuple(g for g in golden if g),
        tolerance={backend: t for backend, t in tolerance.items() if t},
        where=where,
    )
    problems += _taken_problems(manifest) + _file_problems(manifest)
    return manifest


def _taken_problems(manifest: Manifest) -> list[Problem]:
    """A model takes pictures or readings."""
    where = manifest.where
    if (manifest.input is None) == (manifest.window is None):
        has = "neither" if manifest.input is None else "both"
        text = f"expected one of [input] (it takes pictures) and [window] (it takes readings), found {has}"
        return [Problem(where.at("window" if manifest.window else ""), text)]
    if manifest.window is not None:
        return window_problems(manifest.window, where.inside("window"))
    return _input_problems(manifest.input, where.inside("input")) if manifest.input else []


def _text(options: dict[str, Any], key: str, where: Where, problems: list[Problem]) -> str:
    value = options.pop(key, None)
    if isinstance(value, str) and value:
        return value
    problems.append(
        Problem(where.at(key), f"expected text, found {'nothing' if value is None else repr(value)}")
    )
    return ""


def _input_problems(options: InputOptions, where: Where) -> list[Problem]:
    found = []
    channels = 1 if options.colour == "GRAY" else 3
    for key in ("mean", "std"):
        value = getattr(options, key)
        values = value if isinstance(value, tuple) else (value,)
        if len(values) not in {1, channels}:
            text = f"expected one number or {channels} (colour is {options.colour}), found {len(values)}"
            found.append(Problem(where.at(key), text))
        if key == "std" and not all(v > 0 for v in values):
            found.append(Problem(where.at("std"), f"expected numbers above 0, found {value!r}"))
    return found


def _file_problems(manifest: Manifest) -> list[Problem]:
    """Paths that leave the bundle, sums that are none, and files that are used but have no sum."""
    found, where = [], manifest.where
    for name, digest in manifest.files.items():
        if not name or name.startswith("/") or ".." in name.split("/"):
            found.append(Problem(where.at("files", name), "leaves the bundle: expected a path inside of it"))
        if not _SHA256.fullmatch(digest):
            text = f"expected a sha256 of 64 hex digits in lower case, found {digest!r}"
            found.append(Problem(where.at("files", name), text))
    if not manifest.variants:
        found.append(Problem(where.at("variants"), 'is empty: expected at least cpu = "MODEL.tflite"'))
    for path, name in _used_files(manifest):
        if name and name not in manifest.files:
            hint = f"{name!r} is not listed in [files]{nearest(name, manifest.files)}"
            found.append(Problem(where.at(*path), f"{hint} (each file that is used needs its sha256 there)"))
    return found


def _used_files(manifest: Manifest) -> list[tuple[tuple[str | int, ...], str]]:
    """(key path, file) of everything that the runtime or `model verify` opens."""
    used: list[tuple[tuple[str | int, ...], str]] = [(("decoder", "labels"), manifest.labels)]
    used += [(("variants", backend), name) for backend, name in manifest.variants.items()]
    used += [(("decoder", key), name) for key, name in manifest.arrays.items()]
    used.append((("reference",), manifest.reference))
    if manifest.window is not None and isinstance(manifest.window.scale, str):
        used.append((("window", "scale"), manifest.window.scale))
    for i, golden in enumerate(manifest.golden):
        used += [(("golden", i, "input"), golden.input), (("golden", i, "expect"), golden.expect)]
    return used


def as_json(manifest: Manifest) -> dict[str, Any]:
    """All of it, as it is written and JSON can hold it."""
    names = set(_Head.__struct_fields__) - {"format", "decoder"}
    plain = {name: msgspec.to_builtins(getattr(manifest, name)) for name in sorted(names)}
    decoder = {"kind": manifest.decoder.kind, "labels": manifest.labels, **manifest.decoder.options}
    return {"format": FORMAT, **plain, "decoder": decoder}
