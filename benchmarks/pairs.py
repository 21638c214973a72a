"""Compares two ways of doing a thing in alternating pairs: median of the ratios, with an interval; nothing else.

Pairs, because a shared machine drifts: what slows one run slows its neighbour too. The interval is the
percentile bootstrap of the median (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13).
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

RESAMPLES = 2000
SHARE = 0.95

Side = Callable[[], Mapping[str, float]]
"""Runs once and says what it measured, by name."""


@dataclass(frozen=True)
class Ratio:
    """A median (of ratios, differences or plain figures) and its 95 % confidence interval `low`..`high`."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3f} (95 %: {self.low:.3f} to {self.high:.3f})"

    def meets(self, *, at_most: float = float("inf"), at_least: float = float("-inf")) -> bool:
        """Whether the interval overlaps the bound."""
        return self.low <= at_most and self.high >= at_least

    def verdict(self, *, at_most: float = float("inf"), at_least: float = float("-inf")) -> str:
        return "met" if self.meets(at_most=at_most, at_least=at_least) else "MISSED"


def interval(values: Sequence[float]) -> Ratio:
    """The median of `values` and its interval; the same values always give the same one."""
    draw = random.Random(0)
    medians = sorted(statistics.median(draw.choices(values, k=len(values))) for _ in range(RESAMPLES))
    cut = round(RESAMPLES * (1 - SHARE) / 2)
    return Ratio(statistics.median(values), medians[cut], medians[-cut - 1])


@dataclass(frozen=True)
class Pairs:
    """What both sides measured, pair by pair."""

    measured: Sequence[tuple[Mapping[str, float], Mapping[str, float]]]

    def ratio(self, name: str) -> Ratio:
        """a/b."""
        return interval([a[name] / b[name] for a, b in self.measured])

    def difference(self, name: str) -> Ratio:
        """a - b, in the unit of `name`."""
        return interval([a[name] - b[name] for a, b in self.measured])

    def first(self, name: str) -> Ratio:
        """a alone."""
        return interval([a[name] for a, _ in self.measured])

    def second(self, name: str) -> Ratio:
        """b alone."""
        return interval([b[name] for _, b in self.measured])

    def table(self, *names: str) -> str:
        """A line for each pair, `a | b` for each of `names`."""
        rows = [["pair", *names]]
        for n, (a, b) in enumerate(self.measured, 1):
            rows.append([str(n), *(f"{a[name]:.4g} | {b[name]:.4g}" for name in names)])
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )


def alternate(a: Side, b: Side, pairs: int = 10) -> Pairs:
    """Runs `a` and `b` in turn; every second pair begins with `b`. At least 10 for an interval that means something."""
    measured = []
    for n in range(pairs):
        if n % 2:
            second = b()
            measured.append((a(), second))
        else:
            measured.append((a(), b()))
    return Pairs(measured)


def compare(a: Callable[[], float], b: Callable[[], float], pairs: int = 10) -> Ratio:
    """The ratio a/b of the one number that each of them measures."""
    return alternate(lambda: {"it": a()}, lambda: {"it": b()}, pairs).ratio("it")
