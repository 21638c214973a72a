"""What the commands around the store share: which store, and telling a running daemon that it changed."""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from collections.abc import Mapping

from edgeinfer.cli.firmware_place import socket_of
from edgeinfer.commands.door import ask
from edgeinfer.errors import EdgeinferError
from edgeinfer.store.shelf import Shelf, default_root


def shelf_of(args: argparse.Namespace) -> Shelf:
    """`--state`'s store, else the system's for whoever may write to it, else the user's."""
    return Shelf(args.state / "models" if args.state else default_root())


def reloaded(args: argparse.Namespace) -> bool:
    """Has a running daemon read its config, and so its bundles, again; False where none runs.

    Raises:
        EdgeinferError: it runs and refuses, or may not be asked: the store has changed, the daemon has not.
    """
    door = socket_of(args)
    if door is None or not door.exists():
        return False
    try:
        ask(door, {"command": "reload"})
    except EdgeinferError as error:
        if isinstance(error.__cause__, ConnectionRefusedError):  # left behind by a daemon that was killed
            return False
        raise type(error)(
            f"the store has changed, but the running daemon goes on with the old version: {error}"
        ) from error
    return True


def note_distrust(args: argparse.Namespace, what: str, why: str) -> None:
    """Lets the audit log of a running daemon know what was refused; where none runs, nobody does."""
    with contextlib.suppress(EdgeinferError):
        if (door := socket_of(args)) is not None and door.exists():
            ask(door, {"command": "tell", "kind": "trust", "what": what, "why": why})


def tell(args: argparse.Namespace, told: Mapping[str, object], sentence: str) -> None:
    """The result on stdout, for a program or for a person."""
    print(json.dumps(told) if args.json else sentence)


def warn(text: str) -> None:
    """A sentence on stderr that does not change the exit code."""
    print(f"edgeinfer: {text}", file=sys.stderr)
