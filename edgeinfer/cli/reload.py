"""Asks a running daemon to read its config again; what is wrong in it is told, and the old one stays."""

from __future__ import annotations

import argparse

from edgeinfer.cli.setting import add_door, door_of
from edgeinfer.commands.door import ask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_door(parser)
    parser.epilog = "the same as systemctl reload edgeinfer (SIGHUP), with the answer in your terminal"


def main(args: argparse.Namespace) -> int:
    print("reloaded:", ask(door_of(args), {"command": "reload"})["config"])
    return 0
