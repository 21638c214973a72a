"""The newest picture of a source, from a running daemon, as a JPEG."""

from __future__ import annotations

import argparse
from base64 import b64decode
from pathlib import Path

from edgeinfer.cli.setting import door_of
from edgeinfer.cli.subcommands import add_daemon
from edgeinfer.commands.door import ask
from edgeinfer.errors import EdgeinferError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="a name from [source.NAME]")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="where to (default: SOURCE.jpg)")
    parser.add_argument(
        "--max-bytes", type=int, default=2_000_000, metavar="N", help="smaller or coarser, until it fits (2000000)"
    )  # fmt: skip
    add_daemon(parser)
    parser.epilog = "example: edgeinfer snapshot belt -o belt.jpg"


def main(args: argparse.Namespace) -> int:
    asked = {"command": "snapshot", "source": args.source, "max_bytes": args.max_bytes}
    found = ask(door_of(args), asked)
    path = args.output or Path(f"{args.source}.jpg")
    try:
        path.write_bytes(b64decode(found["jpeg"]))
    except OSError as error:
        raise EdgeinferError(f"{path} cannot be written: {error.strerror}") from error
    print(f"{path}: {found['width_px']} x {found['height_px']}, taken {found['at']}")
    return 0
