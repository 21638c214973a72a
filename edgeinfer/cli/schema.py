"""Prints a JSON Schema: of the config, with every installed plugin, for completion and checks in your editor; or of the
messages, for whoever subscribes.

For VS Code with "Even Better TOML", put `#:schema ./edgeinfer.schema.json` on the first line of the config.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import msgspec

from edgeinfer import registry
from edgeinfer.app.options import PipelineOptions, RecipeOptions, StateOptions
from edgeinfer.app.web_options import WebOptions
from edgeinfer.config import schema
from edgeinfer.engine.options import ModelOptions
from edgeinfer.wire.bodies import BODIES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["config", "messages"], help="which schema")
    parser.epilog = "example: edgeinfer schema config > edgeinfer.schema.json"


def main(args: argparse.Namespace) -> int:
    made = config_schema() if args.what == "config" else message_schema()
    print(json.dumps(made, indent=2, ensure_ascii=False))
    return 0


def message_schema() -> dict[str, Any]:
    """One schema a kind of message, under `$defs`; `topics` says which topic carries which."""
    shapes, definitions = msgspec.json.schema_components(list(BODIES.values()), ref_template="#/$defs/{name}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "edgeinfer messages (encoding json)",
        "topics": dict(zip(BODIES, shapes, strict=True)),
        "$defs": definitions,
    }


def config_schema() -> dict[str, Any]:
    sections = {"source": "sources", "rule": "rules", "sink": "sinks"}
    types = {
        section: {kind: registry.find(group, kind).Options for kind in registry.kinds(group)}
        for section, group in sections.items()
    }
    types |= {
        "model": {"": ModelOptions},
        "pipeline": {"": PipelineOptions},
        "recipe": {"": RecipeOptions},
        "state": {"": StateOptions},
        "web": {"": WebOptions},
    }
    found: dict[str, Any] = schema(types)
    return found
