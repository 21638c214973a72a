"""Says why something was decided: when, on which picture, with which findings, rule states, thresholds, model and config.

The id stands in every decision (docs/messages.md). What is known comes from the pictures that a pipeline with
`keep = {}` keeps, from the running daemon, or from the outbox of a daemon that is stopped. What is no longer known is said.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from pathlib import Path
from typing import Any

import msgspec

from edgeinfer.app.explaining import FORGOTTEN, unknown
from edgeinfer.app.options import StateOptions
from edgeinfer.cli.setting import DOOR, add_door, door_of
from edgeinfer.cli.table import columns
from edgeinfer.commands.door import ask
from edgeinfer.config import decode, load
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.events import Frame
from edgeinfer.recording import read
from edgeinfer.recording.accounts import Why, why
from edgeinfer.runtime.event_shelf import find_event
from edgeinfer.runtime.outbox_file import find_in
from edgeinfer.runtime.outbox_rows import unpack
from edgeinfer.runtime.systemd import Systemd

_ID = 16  # characters of a decision's id
_OUTBOX = "outbox.sqlite"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="DECISION_ID", help="16 letters and digits, as in the decision's JSON")
    add_door(parser)
    parser.add_argument("--state", type=Path, metavar="DIR", help="the state folder, instead of CONFIG")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="write the picture with what was found in it"
    )
    parser.add_argument("--json", action="store_true", help="all of it, as JSON")
    parser.epilog = (
        "example: edgeinfer explain k3v7qz4mwy2hx5ab --picture why.jpg · exit code 1: nothing is known of it"
    )


def main(args: argparse.Namespace) -> int:
    decision = args.id.lower()
    if len(decision) != _ID or not decision.isalnum():
        raise InputError(f"expected the id of a decision, 16 letters and digits, found {args.id!r}")
    state, door = _places(args)
    kept = find_event(state, decision)
    found = kept[1] if kept else _asked(decision, door, state)
    frame, notes = (
        _picture(kept[0], found) if kept else (None, ["picture: not kept (see keep in docs/recordings.md)"])
    )
    if args.picture and frame is not None:
        _draw(args.picture, frame, found)
    missing = [*found.missing, *notes]
    body = {**msgspec.to_builtins(found), "missing": missing, "event": str(kept[0]) if kept else None}
    print(json.dumps(body, indent=2) if args.json else _as_text(found, kept[0] if kept else None, missing))
    if args.picture and frame is None:
        print(f"edgeinfer: --picture: {notes[0]}", file=sys.stderr)
        return 1
    return 0


def _places(args: argparse.Namespace) -> tuple[Path, Path]:
    """The state folder, and where its daemon answers."""
    if args.state is not None:
        if not args.state.is_dir():
            raise InputError(
                f"--state: {args.state}: expected the state folder of a daemon, there is no such folder"
            )
        return args.state, args.socket or args.state / DOOR
    door = door_of(args)
    config = load(args.config, problems=[])
    state = decode(config.state, StateOptions, []) or StateOptions()
    return state.folder(config.device, Systemd.from_environment().state_dir), door


def _asked(decision: str, door: Path, state: Path) -> Why:
    """What the daemon says, or the outbox of one that is stopped."""
    if door.exists():
        try:
            return msgspec.convert(ask(door, {"command": "explain", "id": decision}), Why)
        except EdgeinferError as error:
            if not (state / _OUTBOX).exists() or unknown(decision) in str(error):
                raise
    try:
        rows = find_in(state / _OUTBOX, decision) if (state / _OUTBOX).exists() else []
    except sqlite3.Error as error:
        raise EdgeinferError(
            f"{state / _OUTBOX} cannot be read: {error}; while a daemon runs it is asked: name its CONFIG or --socket"
        ) from error
    for row in rows:
        if (entry := unpack(*row)).id == decision:
            return why(entry, None, {}, [FORGOTTEN])
    raise EdgeinferError(unknown(decision))


def _picture(event: Path, found: Why) -> tuple[Frame | None, list[str]]:
    """The picture that was decided on, and what could not be read."""
    told: list[str] = []
    last: Frame | None = None
    try:
        for seen in read(event, told.append, found.source):
            if isinstance(seen, Frame) and seen.key[1] <= found.n:
                last = seen
    except InputError as error:
        told.append(str(error))
    if last is None:
        return None, [*told, f"picture: {event} holds none up to the decision"]
    if last.key != found.key:
        told.append(f"picture: {last.key[1]} of {found.source} is the last one kept before {found.n}")
    return last, told


def _draw(path: Path, frame: Frame, found: Why) -> None:
    from edgeinfer.cli.picture import saved
    from edgeinfer.drawing import drawn

    if path.suffix.lower() not in {".png", ".jpg", ".jpeg"}:
        raise InputError(f"--picture: expected a file that ends with .png or .jpg, found {path.name!r}")
    saved(path, drawn(frame.pixels, found.found()), "--picture")


def _as_text(found: Why, event: Path | None, missing: list[str]) -> str:
    d = found.decision
    lines = [
        f"{d.rule} is {d.state} at {d.at}{'' if d.synced else ' (the clock was not set)'}",
        f"  pipeline {d.pipeline}, subject {d.subject}, sample {found.source}/{found.n}, seq {d.seq}",
        f"  model    {d.model or 'none'}",
        f"  config   {d.config}, {d.age_ms} ms from capture to the outbox",
        f"  details  {json.dumps(d.details)}",
    ]
    if found.rule:
        lines += ["rule", *columns([[key, _value(value)] for key, value in found.rule.items()])]
    if found.states:
        rows = [
            [name, _value(a), "->" if a != b else "", _value(b) if a != b else ""]
            for name, (a, b) in found.states.items()
        ]
        lines += ["states before and after", *columns(rows)]
    if found.findings is not None:
        lines += [f"findings ({len(found.findings)})", *_findings(found)]
    if found.timings_ms:
        lines += ["stages", *columns([[stage, f"{ms:g} ms"] for stage, ms in found.timings_ms.items()])]
    if event is not None:
        lines.append(f"pictures: {event} (edgeinfer replay takes it)")
    return "\n".join([*lines, *(f"not known: {text}" for text in missing)])


def _findings(found: Why) -> list[str]:
    from edgeinfer.drawing import words

    tracks = [f", track {f.track}" if f.track is not None else "" for f in found.found()]
    return [f"  {words(f)}{track}" for f, track in zip(found.found(), tracks, strict=True)]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
