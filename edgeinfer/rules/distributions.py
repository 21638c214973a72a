"""How values are distributed, in bounded memory, and how far two distributions are apart; says nothing about what that means.

A measure is something to count: `score:LABEL` (scores of findings of that label), `share` (which labels are found, "" for a look
that finds none), `value:NAME` (a channel of readings, or a value that a model gives). Its reference is a histogram.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from edgeinfer.events import Finding, Inference, Observation, Readings, Value

FORMAT = 1
SHARE = "share"
_FLOOR = 1e-4  # of a bin: an empty one would make every distance infinite


class Histogram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`shares` of all values: between `edges` (one more bin than edges, the outer ones open), or by `labels`; of `count` values."""

    shares: tuple[float, ...]
    count: int
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        bins = len(self.edges) + 1 if self.edges else len(self.labels) + 1
        if not (self.edges or self.labels) or len(self.shares) != bins:
            raise ValueError(f"expected {bins} shares, found {len(self.shares)}")
        if any(not share >= 0 for share in self.shares) or not math.isclose(
            sum(self.shares), 1, abs_tol=1e-3
        ):
            raise ValueError("shares: expected numbers from 0 that make up 1")
        if list(self.edges) != sorted(self.edges):
            raise ValueError("edges: expected numbers that go up")

    def bin(self, value: float | str) -> int:
        """A label that the reference never saw is in the last bin."""
        if isinstance(value, str):
            return self.labels.index(value) if value in self.labels else len(self.labels)
        return bisect_right(self.edges, value)


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was usual, by measure; `made_of` says where it was seen."""

    measures: dict[str, Histogram]
    made_of: str = ""
    format: int = FORMAT

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(
                f"format: expected {FORMAT}, found {self.format}: made by another version of edgeinfer"
            )


def measured(seen: Observation) -> Iterator[tuple[str, float | str]]:
    """All that is to count in one look."""
    if isinstance(seen, Readings):
        for n, channel in enumerate(seen.channels):
            yield from ((f"value:{channel}", value) for value in seen.values[:, n].tolist())
    elif isinstance(seen, Inference):
        yield from _of_findings(seen.findings)


def _of_findings(findings: Sequence[Finding]) -> Iterator[tuple[str, float | str]]:
    found = False
    for finding in findings:
        if isinstance(finding, Value):
            yield f"value:{finding.label}", finding.value
        else:
            found = True
            yield f"score:{finding.label}", finding.score
            yield SHARE, finding.label
    if not found:
        yield SHARE, ""


class Fading:
    """A histogram of the newest values: what is `memory` values old counts 1/e. Its bins are those of the reference."""

    def __init__(self, like: Histogram, memory: int) -> None:
        self._like, self._keep = like, math.exp(-1 / memory)
        self._weights = [0.0] * len(like.shares)
        self.count = 0

    def add(self, value: float | str) -> None:
        """Not a number is passed over: whoever judges values says that."""
        if isinstance(value, float) and math.isnan(value):
            return
        keep = self._keep
        self._weights = [weight * keep for weight in self._weights]
        self._weights[self._like.bin(value)] += 1
        self.count += 1

    def shares(self) -> list[float]:
        whole = sum(self._weights) or 1.0
        return [weight / whole for weight in self._weights]

    def forget(self) -> None:
        self._weights, self.count = [0.0] * len(self._weights), 0


def psi(usual: Sequence[float], now: Sequence[float]) -> float:
    """Population stability index: 0 for the same; by custom 0.1 is a little, 0.25 much (Siddiqi, Credit Risk Scorecards, 2006)."""
    pairs = ((max(a, _FLOOR), max(b, _FLOOR)) for a, b in zip(usual, now, strict=True))
    return sum((b - a) * math.log(b / a) for a, b in pairs)


def jensen_shannon(usual: Sequence[float], now: Sequence[float]) -> float:
    """Divergence in bits, 0 (the same) to 1 (nothing in common); Lin 1991."""
    middle = [(a + b) / 2 for a, b in zip(usual, now, strict=True)]
    return (_kullback(usual, middle) + _kullback(now, middle)) / 2


def _kullback(p: Sequence[float], q: Sequence[float]) -> float:
    return sum(a * math.log2(a / b) for a, b in zip(p, q, strict=True) if a > 0)


def histogram(values: Sequence[float] | Sequence[str], bins: int = 10) -> Histogram:
    """Of what was collected: numbers between their quantiles, so that each bin holds as many; texts by themselves."""
    if isinstance(values[0], str):
        labels = tuple(sorted({str(value) for value in values}))
        edges: tuple[float, ...] = ()
    else:
        labels, edges = (), _edges(sorted(float(value) for value in values), bins)
    empty = Histogram((1.0, *[0.0] * (len(edges) or len(labels))), 0, edges, labels)
    counts = [0] * len(empty.shares)
    for value in values:
        counts[empty.bin(value)] += 1
    return Histogram(tuple(count / len(values) for count in counts), len(values), edges, labels)


def _edges(ordered: Sequence[float], bins: int) -> tuple[float, ...]:
    """Quantiles, each once; for a value that never changed, around it."""
    cuts = sorted({ordered[len(ordered) * n // bins] for n in range(1, bins)})
    if len(cuts) > 1:
        return tuple(cuts)
    only = cuts[0]
    step = max(abs(only) * 1e-6, 1e-9)
    return (only - step, only + step)


def reference(seen: Mapping[str, Sequence[float] | Sequence[str]], made_of: str) -> Reference:
    """Of all values by measure; one with fewer than 30 says nothing and is left out."""
    return Reference(
        {name: histogram(values) for name, values in sorted(seen.items()) if len(values) >= 30}, made_of
    )
