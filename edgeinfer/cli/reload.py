"""Asks a running daemon to read its config again; what is wrong in it is told, and the old one stays."""

from __future__ import annotations

import argparse

from edgeinfer.cli.setting import add_config, setting_of
from edgeinfer.commands.door import ask
from edgeinfer.errors import EdgeinferError
from edgeinfer.runtime.systemd import Systemd


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config(parser)
    parser.epilog = "the same as systemctl reload edgeinfer (SIGHUP), with the answer in your terminal"


def main(args: argparse.Namespace) -> int:
    door = setting_of(args.config, Systemd.from_environment()).door
    if door is None:
        raise EdgeinferError("this config has no control socket")
    print("reloaded:", ask(door, {"command": "reload"})["config"])
    return 0
