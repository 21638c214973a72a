"""How far two distributions part, and the reference that a bundle carries of its own; pure, knows no rule and no file.

PSI = sum (p - q) ln(p / q), the index of Siddiqi, Credit Risk Scorecards (2006), who calls 0.1 to 0.25 a shift and more
a large one. The Jensen-Shannon divergence (Lin, IEEE Trans. Inf. Theory 37, 1991), here in bits: 0 to 1, symmetric.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeinfer.events import Inference, Value

FORMAT = 1
CLASSES, NOTHING_SEEN = "classes", "(nothing)"
_BINS = 10  # deciles of the reference, as scorecards use them
_SMOOTH = 0.5  # added to each count (Jeffreys): an empty bin is rare, not impossible
_KEPT = 8192  # values of a measure while a reference is made; past that every second goes, evenly over time

Statistic = Literal["psi", "js"]


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One measure's histogram: `counts` between `edges` (one count more than edges), or one for each of `labels`
    and a last one for any other label.
    """

    counts: tuple[int, ...]
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.edges or self.labels) + 1:
            raise ValueError(f"expected one count more than edges or labels, found {len(self.counts)}")
        if list(self.edges) != sorted(set(self.edges)) or min(self.counts) < 0:
            raise ValueError("expected edges that rise and counts of 0 or more")

    def bin_of(self, value: float | str) -> int:
        if isinstance(value, str):
            return self.labels.index(value) if value in self.labels else len(self.labels)
        return bisect_right(self.edges, value)


class Reference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was seen when all was well; `measures` by name: `classes`, `score:LABEL`, `value:LABEL`, `brightness`,
    `sharpness`, `channel:NAME`. `samples` inferences made it.
    """

    format: int
    samples: int
    measures: dict[str, Shape]

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ValueError(f"expected format {FORMAT}, found {self.format}: made by another version")


def measures_of(seen: Inference) -> Iterable[tuple[str, float | str]]:
    """Everything that is counted of one inference, by the name of its measure."""
    if not seen.findings:
        yield CLASSES, NOTHING_SEEN
    for finding in seen.findings:
        if isinstance(finding, Value):
            yield f"value:{finding.label}", finding.value
        else:
            yield CLASSES, finding.label
            yield f"score:{finding.label}", finding.score
    for name, values in seen.measures.items():
        for value in values:
            yield name, value


def psi(a: Sequence[int], b: Sequence[int]) -> float:
    """Population stability index of two histograms over the same bins, 0 when they are alike; symmetric."""
    p, q = _shares(a), _shares(b)
    return float(np.sum((p - q) * np.log(p / q)))


def js(a: Sequence[int], b: Sequence[int]) -> float:
    """Jensen-Shannon divergence in bits, 0 (alike) to 1 (nothing in common); symmetric."""
    p, q = _shares(a), _shares(b)
    middle = (p + q) / 2
    return max(float(np.sum(p * np.log2(p / middle)) + np.sum(q * np.log2(q / middle))) / 2, 0.0)


def parted(statistic: Statistic, a: Sequence[int], b: Sequence[int]) -> float:
    return psi(a, b) if statistic == "psi" else js(a, b)


def _shares(counts: Sequence[int]) -> NDArray[np.float64]:
    smooth = np.asarray(counts, np.float64) + _SMOOTH
    return np.asarray(smooth / smooth.sum(), np.float64)


class Gathering:
    """Makes a reference of inferences, in memory that does not grow with their number."""

    def __init__(self) -> None:
        self.samples = 0
        self._labels: dict[str, int] = {}
        self._values: dict[str, _Thinned] = {}

    def add(self, seen: Inference) -> None:
        self.samples += 1
        for name, value in measures_of(seen):
            if isinstance(value, str):
                self._labels[value] = self._labels.get(value, 0) + 1
            elif np.isfinite(value):
                self._values.setdefault(name, _Thinned()).add(value)

    def reference(self, least: int) -> Reference:
        """Of measures that were seen `least` times or more; the others tell too little."""
        shapes = {name: _shape(t.values) for name, t in sorted(self._values.items()) if t.seen >= least}
        if sum(self._labels.values()) >= least:
            shapes[CLASSES] = _labelled(self._labels)
        return Reference(FORMAT, self.samples, shapes)


class _Thinned:
    """Evenly spaced values of a long row."""

    __slots__ = ("_every", "seen", "values")

    def __init__(self) -> None:
        self.values: list[float] = []
        self.seen, self._every = 0, 1

    def add(self, value: float) -> None:
        if self.seen % self._every == 0:
            self.values.append(value)
        self.seen += 1
        if len(self.values) > _KEPT:
            self.values, self._every = self.values[::2], self._every * 2


def _shape(values: Sequence[float]) -> Shape:
    cuts = np.quantile(values, np.linspace(0, 1, _BINS + 1)[1:-1])
    edges = sorted({float(cut) for cut in cuts})
    if min(values) == max(values):  # a constant: anything above it is news too
        edges.append(float(np.nextafter(edges[-1], np.inf)))
    counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
    return Shape(tuple(map(int, counts)), edges=tuple(edges))


def _labelled(counts: Mapping[str, int]) -> Shape:
    labels = tuple(sorted(counts))
    return Shape((*(counts[label] for label in labels), 0), labels=labels)
