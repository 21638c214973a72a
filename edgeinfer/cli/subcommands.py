"""Commands of two words (`model add`): one module each, found by its name, with help and an example; decides nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path

from edgeinfer.cli.setting import DEFAULT_CONFIG


def add_all(
    parser: argparse.ArgumentParser, group: str, commands: Mapping[str, tuple[str, str]], exits: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Adds `commands` (name → what it does, an example) of `edgeinfer.cli.GROUP_NAME`; yields each for more options."""
    subparsers = parser.add_subparsers(dest=f"{group}_command", required=True, metavar="COMMAND")
    for name, (text, example) in commands.items():
        module = import_module(f"edgeinfer.cli.{group}_{name}")
        command = subparsers.add_parser(
            name,
            help=text,
            description=module.__doc__,
            epilog=f"example: {example}\n{exits}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.add_argument("--json", action="store_true", help="for programs: JSON on stdout")
        yield name, command


def add_daemon(command: argparse.ArgumentParser) -> None:
    """Which running daemon is asked or told."""
    command.add_argument(
        "--config",
        type=Path,
        default=DEFAULT_CONFIG,
        metavar="FILE",
        help=f"the daemon's config: its state folder and control socket (default: {DEFAULT_CONFIG})",
    )
    command.add_argument("--socket", type=Path, metavar="PATH", help="the daemon's control socket")


def run(args: argparse.Namespace, group: str) -> int:
    """Runs the one that was asked for."""
    code: int = import_module(f"edgeinfer.cli.{group}_{getattr(args, f'{group}_command')}").main(args)
    return code
