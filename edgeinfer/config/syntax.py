"""The one place that knows which TOML parser this Python has; nothing else."""

from __future__ import annotations

import sys
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SyntaxProblem = tomllib.TOMLDecodeError


def parse(text: str) -> dict[str, Any]:
    """Text to tables.

    Raises:
        SyntaxProblem: it is no valid TOML; the message ends with "(at line N, column M)".
    """
    return tomllib.loads(text)
