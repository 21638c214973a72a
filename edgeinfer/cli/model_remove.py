"""Takes one version that is not used out of the store, or a whole name with all its versions."""

from __future__ import annotations

import argparse

from edgeinfer.cli.model_store import shelf_of, tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="a name in the store")
    parser.add_argument("version", metavar="VERSION", nargs="?", default="", help="only this version")


def main(args: argparse.Namespace) -> int:
    gone = shelf_of(args).remove(args.name, args.version)
    names = ", ".join(f"{v.version} ({v.digest})" for v in gone)
    tell(args, {"name": args.name, "removed": [v.digest for v in gone]}, f"{args.name}: removed {names}")
    return 0
