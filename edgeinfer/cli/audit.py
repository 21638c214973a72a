"""The audit log of this device: what was done to it and by whom, in a chain of lines that cannot be changed unseen.

docs/audit.md says what stands in it, and what a chain of hashes can prove and what not.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from edgeinfer.app.auditing import FOLDER
from edgeinfer.app.options import StateOptions
from edgeinfer.cli.setting import DEFAULT_CONFIG
from edgeinfer.cli.subcommands import add_all, run
from edgeinfer.config import decode, load
from edgeinfer.errors import InputError
from edgeinfer.runtime.systemd import Systemd

_COMMANDS = {
    "verify": (
        "find every edit, removal and reorder",
        "edgeinfer audit verify   (or edgeinfer audit verify copy/audit --head HASH)",
    ),
    "show": ("the lines, for people", "edgeinfer audit show --since 2h"),
}
_EXIT = "exit codes: 0 whole · 1 something is wrong, or cannot be read · 2 wrong input"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The subcommands; each module adds its own options."""
    for _, command in add_all(parser, "audit", _COMMANDS, _EXIT):
        command.add_argument(
            "path",
            type=Path,
            nargs="?",
            metavar="PATH",
            help="a folder with the files of a log (this device's)",
        )
        command.add_argument(
            "--config",
            type=Path,
            default=DEFAULT_CONFIG,
            metavar="FILE",
            help=f"whose log ({DEFAULT_CONFIG})",
        )


def main(args: argparse.Namespace) -> int:
    return run(args, "audit")


def folder_of(args: argparse.Namespace) -> Path:
    """PATH, else the one in the daemon's state folder.

    Raises:
        InputError: there is no such folder.
    """
    folder = args.path or _of_config(args.config)
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; expected the files of an audit log in it")
    return Path(folder)


def _of_config(path: Path) -> Path:
    config = load(path, problems=[])
    state = decode(config.state, StateOptions, []) or StateOptions()
    return state.folder(config.device, Systemd.from_environment().state_dir) / FOLDER
