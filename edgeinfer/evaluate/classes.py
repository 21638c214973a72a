"""One answer a sample against its class: confusion matrix, top-1, and the AUC of an anomaly; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Confusion:
    """`table[i, j]` samples of class i were called j; `labels` names both axes."""

    labels: tuple[str, ...]
    table: NDArray[np.int64]

    @property
    def top1(self) -> float:
        """Share of the samples that are called what they are."""
        return float(self.table.trace() / max(self.table.sum(), 1))

    def recall(self, label: str) -> float:
        i = self.labels.index(label)
        return float(self.table[i, i] / max(self.table[i].sum(), 1))

    def precision(self, label: str) -> float:
        i = self.labels.index(label)
        return float(self.table[i, i] / max(self.table[:, i].sum(), 1))

    def samples(self, label: str) -> int:
        return int(self.table[self.labels.index(label)].sum())


def confusion(true: Sequence[str], said: Sequence[str], labels: Sequence[str]) -> Confusion:
    """Of `labels`, and behind them whatever else was said."""
    names = tuple(dict.fromkeys([*labels, *sorted({*true, *said} - set(labels))]))
    numbers = {name: n for n, name in enumerate(names)}
    table = np.zeros((len(names), len(names)), np.int64)
    for is_, called in zip(true, said, strict=True):
        table[numbers[is_], numbers[called]] += 1
    return Confusion(names, table)


def auc(good: NDArray[Any], bad: NDArray[Any]) -> float:
    """The chance that one of `bad` has the larger value than one of `good`; ties count half.

    Source: Mann and Whitney (1947); the area under the ROC curve (Hanley and McNeil, 1982).
    """
    both = np.concatenate([good, bad])
    _, places, counts = np.unique(both, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2.0  # the mean rank of equals, from 1
    above = ranks[places][len(good) :].sum() - len(bad) * (len(bad) + 1) / 2
    return float(above / (len(good) * len(bad)))
