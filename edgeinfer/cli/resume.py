"""Lets a paused pipeline of a running daemon go on."""

from __future__ import annotations

import argparse

from edgeinfer.cli.setting import door_of
from edgeinfer.cli.subcommands import add_daemon
from edgeinfer.commands.door import ask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pipeline", metavar="PIPELINE", help="a name from [pipeline.NAME]")
    add_daemon(parser)
    parser.epilog = "example: edgeinfer resume inspection"


def main(args: argparse.Namespace) -> int:
    ask(door_of(args), {"command": "resume", "pipeline": args.pipeline})
    print(f"{args.pipeline} goes on")
    return 0
