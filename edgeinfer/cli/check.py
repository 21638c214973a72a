"""Says whether a config is right and what it would run on; opens no camera and no connection.

All problems at once, each with file, line and key, what was expected, what was found, and the nearest right name.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.cli.setting import add_config, draw_file
from edgeinfer.errors import StateError
from edgeinfer.runtime.systemd import Systemd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.add_argument("--json", action="store_true", help="the findings, as JSON")
    parser.epilog = "exit code: 0 right · 1 the state folder cannot be used · 2 the config is wrong"


def main(args: argparse.Namespace) -> int:
    systemd = Systemd.from_environment()
    blueprint = draw_file(args.config, systemd)
    found = findings(blueprint, systemd)
    print(json.dumps(found, indent=2) if args.json else _as_text(args.config, found))
    return 0


def findings(blueprint: Blueprint, systemd: Systemd) -> dict[str, Any]:
    from edgeinfer.engine.advice import advice
    from edgeinfer.engine.runtimes import runtime_name

    folder = blueprint.state.folder(blueprint.device, systemd.state_dir)
    _writable(folder)
    return {
        "device": blueprint.device,
        "config": blueprint.config.digest,
        "runtime": runtime_name(),
        "state": str(folder),
        "models": {name: model.bundle.identity for name, model in blueprint.models.items()},
        "backends": {name: list(model.options.backends) for name, model in blueprint.models.items()},
        "pipelines": {
            name: {
                "sources": [*p.options.all_sources, *p.options.inputs],
                "model": p.options.model,
                "models": list(p.options.all_models),
                "trigger": p.options.trigger_source,
                "recipes": list(blueprint.recipes_of(name)),
                "rules": list(p.options.rules),
            }
            for name, p in blueprint.pipelines.items()
        },
        "sinks": {name: sink.part.kind for name, sink in blueprint.sinks.items()},
        "overrides": blueprint.overrides.words(),
        "ignored": list(blueprint.ignored),
        "unused": blueprint.unused(),
        "advice": advice(model.options for model in blueprint.models.values()),
    }


def _writable(folder: Path) -> None:
    """The nearest folder above that exists must let us in; nothing is made."""
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(existing, os.W_OK | os.X_OK) or not existing.is_dir():
        raise StateError(
            f"the state folder {folder} cannot be used: {existing} is not a folder that this user may write to; "
            "give its owner write access, or another folder in [state] dir"
        )


def _as_text(path: Path, found: dict[str, Any]) -> str:
    lines = [
        f"{path} is right ({found['config']})",
        f"  device   {found['device']}",
        f"  runtime  {found['runtime']}",
        f"  state    {found['state']}",
    ]
    for name, p in found["pipelines"].items():
        models = " → ".join(found["models"][model] for model in p["models"]) or "no model"
        lines.append(f"  pipeline {name}: {', '.join(p['sources'])} → {models} → {', '.join(p['rules'])}")
        lines += [f"           asked by {p['trigger']}"] if p["trigger"] else []
        lines += [f"           recipes {', '.join(p['recipes'])}"] if p["recipes"] else []
    lines += [f"  sink     {name} ({kind})" for name, kind in found["sinks"].items()]
    lines += [
        f"  changed  {word} (by a command; edgeinfer set --back and resume take it back)"
        for word in found["overrides"]
    ]
    lines += [f"  ignored  {word}" for word in found["ignored"]]
    lines += [f"  unused   {name}: no pipeline takes it" for name in found["unused"]]
    lines += [f"  note     {sentence}" for sentence in found["advice"]]
    return "\n".join(lines)
