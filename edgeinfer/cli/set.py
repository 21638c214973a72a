"""Sets a number of a rule in a running daemon, within the limits that `adjustable` in its config allows.

It holds after a restart, too, and stands in the state folder: the config itself is never written to. The pipeline of the
rule starts anew with it.
"""

from __future__ import annotations

import argparse

from edgeinfer.cli.setting import door_of
from edgeinfer.cli.subcommands import add_daemon
from edgeinfer.commands.door import ask
from edgeinfer.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("key", metavar="KEY", help="rule.NAME.KEY")
    parser.add_argument("value", metavar="VALUE", nargs="?", help="a number")
    parser.add_argument(
        "--back", action="store_true", help="back to what the config says, instead of a VALUE"
    )
    add_daemon(parser)
    parser.epilog = "example: edgeinfer set rule.scratched.score 0.7"


def main(args: argparse.Namespace) -> int:
    if args.back != (args.value is None):
        raise InputError("expected either a VALUE or --back")
    value = None if args.back else _number(args.value)
    ask(door_of(args), {"command": "set", "key": args.key, "value": value})
    print(f"{args.key} is what the config says again" if args.back else f"{args.key} = {value:g}")
    return 0


def _number(text: str) -> int | float:
    """A whole number stays one: some options take no other."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise InputError(f"expected a number, found {text!r}")
