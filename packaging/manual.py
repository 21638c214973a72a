"""Writes the man page or a shell's completion from the parsers of the command line; nothing is written by hand.

python packaging/manual.py man|bash|zsh
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module

from edgeinfer import __version__
from edgeinfer.cli.main import COMMANDS

_AUTHORS = "The edgeinfer authors"


def whole_parser() -> argparse.ArgumentParser:
    """All commands in one parser; the daemon's own builds that of one command only, which starts faster."""
    parser = argparse.ArgumentParser(
        prog="edgeinfer", description="One line from cameras and sensors to decisions over MQTT."
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(metavar="COMMAND")
    for name, text in COMMANDS.items():
        module = import_module(f"edgeinfer.cli.{name.replace('-', '_')}")
        command = commands.add_parser(
            name, help=text, description=module.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(command)
    return parser


def man() -> str:
    from argparse_manpage.manpage import Manpage

    parser = whole_parser()
    parser.man_short_description = "edge inference runtime"  # type: ignore[attr-defined]
    data = {
        "project_name": "edgeinfer",
        "version": __version__,
        "authors": [_AUTHORS],
        "manual_section": 1,
        "manual_title": "edgeinfer",
        "format": "pretty",
    }
    return str(Manpage(parser, format="pretty", _data=data))


def completion(shell: str) -> str:
    import shtab

    return str(shtab.complete(whole_parser(), shell=shell))


def main() -> int:
    kinds = {"man": man, "bash": lambda: completion("bash"), "zsh": lambda: completion("zsh")}
    if len(sys.argv) != 2 or sys.argv[1] not in kinds:
        print(f"expected one of {', '.join(kinds)}", file=sys.stderr)
        return 2
    print(kinds[sys.argv[1]]())
    return 0


if __name__ == "__main__":
    sys.exit(main())
