"""Makes another version of a bundle the current one; a running daemon takes it up at once.

Every `bundle = "NAME"` means the current version; `bundle = "NAME@VERSION"` in a config stays with that version.
"""

from __future__ import annotations

import argparse

from edgeinfer.cli.model_store import reloaded, shelf_of, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a name in the store")
    parser.add_argument("version", metavar="VERSION", help="as `model list` shows it, or its digest")


def main(args: argparse.Namespace) -> int:
    version = shelf_of(args).use(args.name, args.version)
    daemon = reloaded(args)
    told = {"name": args.name, "version": version.version, "digest": version.digest, "daemon": daemon}
    after = "the daemon runs it now" if daemon else "no daemon runs here that had to be told"
    tell(args, told, f"{args.name}: version {version.version} ({version.digest}) is used; {after}")
    return 0
