"""Goes back to the version that was used before; a running daemon takes it up at once.

Asked again, it goes one further back.
"""

from __future__ import annotations

import argparse

from edgeinfer.cli.model_store import reloaded, shelf_of, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a name in the store")


def main(args: argparse.Namespace) -> int:
    version = shelf_of(args).rollback(args.name)
    daemon = reloaded(args)
    told = {"name": args.name, "version": version.version, "digest": version.digest, "daemon": daemon}
    after = "the daemon runs it now" if daemon else "no daemon runs here that had to be told"
    tell(args, told, f"{args.name}: back to version {version.version} ({version.digest}); {after}")
    return 0
