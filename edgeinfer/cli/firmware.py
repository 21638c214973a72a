"""Microcontrollers: which are there, what is in a package, make one, flash it and prove it, what was flashed.

The daemon and the flasher never fight for a port: flashing asks the running daemon to lend it, and gives it back.
docs/flashing.md tells which tools flash which boards, and what happens when the cable is pulled.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edgeinfer.cli.subcommands import add_all, add_daemon, run
from edgeinfer.errors import EdgeinferError, InputError

_COMMANDS = {
    "list": ("the serial ports, who has them open, and which nodes answer", "edgeinfer firmware list --ask"),
    "info": (
        "what a package holds, or what the node on a port runs",
        "edgeinfer firmware info motor-2.1.0.efw",
    ),
    "pack": (
        "make one file from hex, elf, bin, flasher_args.json or an MCUboot image",
        "edgeinfer firmware pack motor.hex --board uno --name motor --version 2.1.0 -o motor-2.1.0.efw",
    ),
    "flash": (
        "write a package onto one or more boards, and prove that they run it",
        "edgeinfer firmware flash motor-2.1.0.efw --port /dev/ttyACM0   (or --resume --port /dev/ttyACM0)",
    ),
    "history": ("what was flashed when by whom, with which result", "edgeinfer firmware history --last 20"),
}
_EXIT = "exit codes: 0 done · 1 the world failed (the node runs what the last line says) · 2 wrong input, nothing written"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands; each module adds its own options."""
    for _, command in add_all(parser, "firmware", _COMMANDS, _EXIT):
        command.add_argument(
            "--state", type=Path, metavar="DIR", help="where log and backups lie, when elsewhere"
        )
        add_daemon(command)


def main(args: argparse.Namespace) -> int:
    """Runs the subcommand; what firmware_bridge says is wrong becomes this program's error."""
    from firmware_bridge.flash.errors import FlashError

    try:
        return run(args, "firmware")
    except FlashError as error:
        raise (InputError if error.exit_code == 2 else EdgeinferError)(str(error)) from error
