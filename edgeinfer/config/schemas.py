"""The JSON Schema of a whole config, for editors and `edgeinfer schema config`; nothing is validated with it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.config.parts import SINGLE

_REF = "#/$defs/{name}"
_NAMES = "^[a-z0-9_-]+$"
_LIMITS = {
    "type": "object",
    "description": "what commands may set, and within which limits",
    "additionalProperties": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
}
_NO_DEVICE = r"^[^./+#]+$"


def schema(options_types: Mapping[str, Mapping[str, type]]) -> dict[str, Any]:
    """JSON Schema 2020-12 of a config.

    Args:
        options_types: section → kind → Options type; the kind is "" where the section has none
            (model, pipeline, state, web).
    """
    types = [t for kinds in options_types.values() for t in kinds.values()]
    shapes, definitions = msgspec.json.schema_components(types, schema_hook=_hook, ref_template=_REF)
    shape = dict(zip(types, shapes, strict=True))
    sections = {
        section: _section(section, {kind: _resolved(shape[t], definitions) for kind, t in kinds.items()})
        for section, kinds in options_types.items()
    }
    device = {"type": "string", "pattern": _NO_DEVICE, "description": "default: the host name"}
    used = str(sections)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "edgeinfer config",
        "type": "object",
        "properties": {"device": device, **sections},
        "additionalProperties": False,
        "$defs": {name: body for name, body in definitions.items() if _REF.format(name=name) in used},
    }


def _section(section: str, kinds: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    if section in SINGLE:
        return kinds[""]
    extra = {"adjustable": _LIMITS} if section == "rule" else {}
    parts = [_with_kind(kind, body, extra) for kind, body in kinds.items()]
    part = parts[0] if len(parts) == 1 else {"oneOf": parts}
    names = {"pattern": _NAMES}
    return {"type": "object", "propertyNames": names, "additionalProperties": part}


def _with_kind(kind: str, body: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
    closed = body | {"additionalProperties": False}
    if not kind:
        return closed
    properties = {"kind": {"const": kind}, **body.get("properties", {}), **extra}
    return closed | {"title": kind, "properties": properties, "required": ["kind", *body.get("required", [])]}


def _resolved(shape: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The definition itself instead of a reference to it: `kind` has to stand in the same object."""
    name = shape.get("$ref", "").rpartition("/")[2]
    return dict(definitions[name]) if name else shape


def _hook(kind: type) -> dict[str, Any]:
    if kind is Path:
        return {"type": "string"}
    raise NotImplementedError(f"{kind} has no JSON Schema: give it one here before an Options uses it")
