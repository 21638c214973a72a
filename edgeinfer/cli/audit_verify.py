"""Walks the chain of an audit log and names every place at which it was changed, with file and line.

Lines that were cut off at the end leave no trace in the files. Give --head: a hash that this log once had at its end, from
whoever kept it (`edgeinfer health`, or {topic}/health at a broker: posts.audit.head).
"""

from __future__ import annotations

import argparse
import json

from edgeinfer.audit.verify import Verdict, verify
from edgeinfer.cli.audit import folder_of
from edgeinfer.errors import EdgeinferError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--head", default="", metavar="HASH", help="must be in the chain: what it had once at its end"
    )


def main(args: argparse.Namespace) -> int:
    folder = folder_of(args)
    try:
        verdict = verify(folder, args.head.strip().lower())
    except OSError as error:
        raise EdgeinferError(f"{folder} cannot be read: {error.strerror}") from error
    print(_as_json(verdict) if args.json else _as_text(verdict, args.head))
    return 0 if verdict.whole else 1


def _as_json(verdict: Verdict) -> str:
    findings = [{"file": f.file, "line": f.line, "what": f.what} for f in verdict.findings]
    facts = {
        name: getattr(verdict, name) for name in ("whole", "first", "last", "head", "since", "torn", "missed")
    }
    return json.dumps(facts | {"findings": findings}, indent=2)


def _as_text(verdict: Verdict, head: str) -> str:
    lines = [str(finding) for finding in verdict.findings]
    if not verdict.last and not lines:
        return "there are no lines"
    told = f"lines {verdict.first} to {verdict.last}, head {verdict.head}"
    lines.append(
        f"whole: {told}" if verdict.whole else f"not whole ({len(verdict.findings)} findings): {told}"
    )
    if verdict.torn:
        lines.append(
            f"{verdict.torn} times a power cut or kill tore the last line; the daemon told it and went on"
        )
    if verdict.missed:
        lines.append(
            f"{verdict.missed} lines could not be written while the disk was full; the daemon told it"
        )
    if verdict.since is not None:
        lines.append(f"the head that you gave is in it; {verdict.since} lines came since")
    elif not head:
        lines.append(
            "whether lines were cut off its end, only a head can tell that somebody else kept: --head HASH"
        )
    return "\n".join(lines)
