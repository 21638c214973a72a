"""Audit logs for the tests."""

from __future__ import annotations

from pathlib import Path

from edgeinfer.audit import AuditLog
from tests.runtime.decisions import Board

AT = "2026-11-24T10:59:33.120Z"


def log(folder: Path, board: Board | None = None, **options) -> AuditLog:
    return AuditLog(folder, lambda: AT, board or Board(), **options)


def written(folder: Path, count: int, **options) -> AuditLog:
    """A log of `count` lines, closed."""
    made = log(folder, **options)
    for n in range(count):
        assert made.write("command", command="pause", args={"pipeline": f"p{n}"}, ok=True)
    made.close()
    return made
