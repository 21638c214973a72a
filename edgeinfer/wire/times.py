"""Times as text: RFC 3339 in UTC with milliseconds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def iso(unix_ns: int) -> str:
    """`2026-11-24T10:59:33.120Z`; whole numbers only, so that no rounding depends on the machine."""
    unix_ms = unix_ns // 1_000_000
    return f"{_to_the_second(unix_ms // 1000)}{unix_ms % 1000:03d}Z"


@lru_cache(
    maxsize=16
)  # neighbours share their second, and formatting one costs more than the rest of a message
def _to_the_second(unix_s: int) -> str:
    return (_EPOCH + timedelta(seconds=unix_s)).strftime("%Y-%m-%dT%H:%M:%S.")


def unix_s(text: str) -> float:
    """The inverse, in seconds; raises ValueError when it is no such text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
