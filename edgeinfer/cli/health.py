"""Asks a running daemon how it is: each post's condition, since when and why, counters and latencies."""

from __future__ import annotations

import argparse
import json
from typing import Any

from edgeinfer.cli.setting import add_door, door_of
from edgeinfer.commands.door import ask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_door(parser)
    parser.add_argument("--json", action="store_true", help="all of it, as JSON")
    parser.epilog = "exit code: 0 all is well · 1 something is degraded, or no daemon answers"


def main(args: argparse.Namespace) -> int:
    found = ask(door_of(args), {"command": "health"})
    print(json.dumps(found, indent=2) if args.json else as_text(found))
    return 0 if found["condition"] == "ok" else 1


def as_text(found: dict[str, Any]) -> str:
    lines = [
        f"{found['device']} is {found['condition']} (edgeinfer {found['version']}, config {found['config']})"
    ]
    for name, post in sorted(found["posts"].items()):
        why = "; ".join(filter(None, [post.get("reason", ""), *post.get("notes", {}).values()]))
        condition, since = _condition(post)
        lines.append(f"  {name:<24} {condition:<9} since {since}{f'  {why}' if why else ''}")
    if changed := found["posts"].get("config", {}).get("overrides"):
        lines.append(f"  changed by commands: {changed}")
    lines += [
        f"  {name:<24} {depth} waiting in the outbox" for name, depth in found["outbox"].items() if depth
    ]
    return "\n".join(lines)


def _condition(post: dict[str, Any]) -> tuple[str, str]:
    """A post that runs and has something to complain of is degraded, since it first did."""
    if post["condition"] == "ok" and post.get("notes"):
        return "degraded", min(post["notes_since"].values())
    return post["condition"], post["since"]
