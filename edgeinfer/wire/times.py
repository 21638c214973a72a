"""Times as text: RFC 3339 in UTC with milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def iso(unix_ns: int) -> str:
    """`2026-11-24T10:59:33.120Z`; whole numbers only, so that no rounding depends on the machine."""
    moment = _EPOCH + timedelta(milliseconds=unix_ns // 1_000_000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{unix_ns // 1_000_000 % 1000:03d}Z"


def unix_s(text: str) -> float:
    """The inverse, in seconds; raises ValueError when it is no such text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
