"""Shows the lines of an audit log; whether they are what was written, `edgeinfer audit verify` finds out."""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from edgeinfer.audit.files import readable
from edgeinfer.cli.audit import folder_of
from edgeinfer.errors import EdgeinferError
from edgeinfer.wire.times import iso, unix_s

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--since", type=_moment, default=None, metavar="WHEN", help="2026-11-24, a whole RFC 3339 time, or 30m, 2h, 7d ago"
    )  # fmt: skip
    parser.add_argument(
        "--kind", metavar="KIND", help="only start, stop, command, config, decisions, flash, …"
    )


def main(args: argparse.Namespace) -> int:
    folder = folder_of(args)
    try:
        lines = [
            line
            for line in readable(folder)
            if line.at >= (args.since or "") and args.kind in {None, line.kind}
        ]
    except OSError as error:
        raise EdgeinferError(f"{folder} cannot be read: {error.strerror}") from error
    for line in lines:
        if args.json:
            print(
                json.dumps({"n": line.n, "at": line.at, "kind": line.kind, **line.facts}, ensure_ascii=False)
            )
        else:
            print(f"{line.n:>6}  {line.at}  {line.kind:<9}  {_facts(line.facts)}".rstrip())
    return 0


def _facts(facts: Mapping[str, Any]) -> str:
    return "  ".join(f"{key}={_short(value)}" for key, value in facts.items() if value not in ("", [], {}))


def _short(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}:{item}" for key, item in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _moment(text: str) -> str:
    """For argparse: times as the lines have them, which sort as text."""
    ago = re.fullmatch(r"(\d+)([smhd])", text)
    try:
        unix = time.time() - int(ago[1]) * _UNITS_S[ago[2]] if ago else _unix(text)
        return iso(int(unix * 1e9))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"expected a date, a time such as 2026-11-24T10:59:33Z, or 30m, 2h, 7d; found {text!r}"
        ) from None


def _unix(text: str) -> float:
    return unix_s(f"{text}T00:00:00Z" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text)
