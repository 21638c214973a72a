"""Pauses a pipeline of a running daemon: it judges nothing until `edgeinfer resume`, also after a restart.

Its rules are unknown meanwhile, with the reason "paused"; its sources go on.
"""

from __future__ import annotations

import argparse

from edgeinfer.cli.setting import door_of
from edgeinfer.cli.subcommands import add_daemon
from edgeinfer.commands.door import ask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pipeline", metavar="PIPELINE", help="a name from [pipeline.NAME]")
    add_daemon(parser)
    parser.epilog = "example: edgeinfer pause inspection"


def main(args: argparse.Namespace) -> int:
    ask(door_of(args), {"command": "pause", "pipeline": args.pipeline})
    print(f"{args.pipeline} is paused; edgeinfer resume {args.pipeline} lets it go on")
    return 0
