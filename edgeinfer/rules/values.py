"""A number by its name, in readings or in what a model gives; says nothing about what it means."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from edgeinfer.errors import InputError
from edgeinfer.events import Inference, Readings, Score, Value


class Named:
    """The values of `name`: a channel of readings, or the label of a score or value.

    Raises:
        InputError: no name; begins with `key`.
    """

    __slots__ = ("_scored", "name")

    def __init__(self, key: str, name: str) -> None:
        if not name:
            raise InputError(f"{key}: expected the name of a channel or label, found an empty text")
        self.name = name
        self._scored: set[str] = set()  # subjects for which the label came as a score before

    def in_readings(self, seen: Readings) -> NDArray[Any] | None:
        """(n,); None when there is no such channel."""
        if self.name not in seen.channels:
            return None
        column: NDArray[Any] = seen.values[:, seen.channels.index(self.name)]
        return column

    def in_findings(self, seen: Inference) -> float | None:
        """The highest of that label. A classifier that leaves it out says 0; a value not read off says nothing (None)."""
        scores = [f.score for f in seen.findings if isinstance(f, Score) and f.label == self.name]
        values = [f.value for f in seen.findings if isinstance(f, Value) and f.label == self.name]
        if scores:
            self._scored.add(seen.key[0])
        if scores or values:
            return max(scores + values)
        low = seen.key[0] in self._scored or any(isinstance(f, Score) for f in seen.findings)
        return 0.0 if low else None


def plain(value: float) -> float | str:
    """Six decimals: finer than any sensor knows. JSON has no infinity: it is told as text."""
    return round(value, 6) if math.isfinite(value) else str(value)
