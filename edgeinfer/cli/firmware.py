"""Microcontrollers: which are there, what is in a package, make one, flash it and prove it, what was flashed.

The daemon and the flasher never fight for a port: flashing asks the running daemon to lend it, and gives it back.
docs/flashing.md tells which tools flash which boards, and what happens when the cable is pulled.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

from edgeinfer.cli.setting import DEFAULT_CONFIG
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
    commands = parser.add_subparsers(dest="firmware_command", required=True, metavar="COMMAND")
    for name, (text, example) in _COMMANDS.items():
        module = import_module(f"edgeinfer.cli.firmware_{name}")
        command = commands.add_parser(
            name,
            help=text,
            description=module.__doc__,
            epilog=f"example: {example}\n{_EXIT}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.add_argument("--json", action="store_true", help="for programs: JSON on stdout")
        command.add_argument(
            "--state", type=Path, metavar="DIR", help="where log and backups lie, when elsewhere"
        )
        command.add_argument(
            "--config",
            type=Path,
            default=DEFAULT_CONFIG,
            metavar="FILE",
            help=f"the daemon's config: its state folder and control socket (default: {DEFAULT_CONFIG})",
        )
        command.add_argument("--socket", type=Path, metavar="PATH", help="the daemon's control socket")


def main(args: argparse.Namespace) -> int:
    """Runs the subcommand; what firmware_bridge says is wrong becomes this program's error."""
    from firmware_bridge.flash.errors import FlashError

    command = import_module(f"edgeinfer.cli.firmware_{args.firmware_command}")
    try:
        code: int = command.main(args)
    except FlashError as error:
        raise (InputError if error.exit_code == 2 else EdgeinferError)(str(error)) from error
    return code
