"""Prints the JSON Schema of the config, with every installed plugin: completion and checks in your editor.

For VS Code with "Even Better TOML", put `#:schema ./edgeinfer.schema.json` on the first line of the config.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from edgeinfer import registry
from edgeinfer.app.options import PipelineOptions, StateOptions
from edgeinfer.config import schema
from edgeinfer.engine.options import ModelOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", choices=["config"], help="which schema")
    parser.epilog = "example: edgeinfer schema config > edgeinfer.schema.json"


def main(_args: argparse.Namespace) -> int:
    print(json.dumps(config_schema(), indent=2))
    return 0


def config_schema() -> dict[str, Any]:
    sections = {"source": "sources", "rule": "rules", "sink": "sinks"}
    types = {
        section: {kind: registry.find(group, kind).Options for kind in registry.kinds(group)}
        for section, group in sections.items()
    }
    types |= {"model": {"": ModelOptions}, "pipeline": {"": PipelineOptions}, "state": {"": StateOptions}}
    found: dict[str, Any] = schema(types)
    return found
