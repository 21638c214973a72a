"""What protocols that only listen have in common: counters, and rows put into blocks by their arrival."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from edgeinfer.protocols import Rows

Row = tuple[
    tuple[str, ...], tuple[float, ...], bool
]  # channels, values in units, whether rows were lost before


class Listening:
    """A protocol that says nothing and needs no timer.

    Args:
        rate_hz: how many rows a second the node sends; 0 when unknown, and each row is then a block of its own.
    """

    wake_ns: int | None = None
    address, waits = 0, False

    def __init__(self, rate_hz: float) -> None:
        self.lost: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.told: dict[str, int] = {}
        self.notes: dict[str, str] = {}
        self._period_ns = round(1e9 / rate_hz) if rate_hz else 0

    def outgoing(self, now_ns: int) -> bytes:  # noqa: ARG002  the protocol's form
        return b""

    def blocks(self, rows: Iterable[Row], now_ns: int) -> list[Rows]:
        """Rows that arrived together: the last one at `now_ns`, the others a period before one another."""
        groups: list[list[Row]] = []
        for row in rows:
            together = self._period_ns and groups and groups[-1][0][0] == row[0] and not row[2]
            if together:
                groups[-1].append(row)
            else:
                groups.append([row])
        later, made = 0, list[Rows]()
        for group in reversed(groups):
            at_ns = now_ns - (later + len(group) - 1) * self._period_ns
            later += len(group)
            values = np.array([values for _, values, _ in group], np.float64)
            made.append(Rows(group[0][0], values, at_ns, self._period_ns, group[0][2]))
        return made[::-1]
