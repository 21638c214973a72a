"""A run judged by what its data knows: average precision, top-1 or AUC, by class; prints nothing."""

from __future__ import annotations

import msgspec
import numpy as np

from edgeinfer.errors import InputError
from edgeinfer.evaluate.boxes import against_truth, average_precision
from edgeinfer.evaluate.classes import auc, confusion
from edgeinfer.evaluate.examples import Dataset
from edgeinfer.evaluate.run import Run, own_score
from edgeinfer.store import Bundle

Figures = dict[str, float]


class Matrix(msgspec.Struct, frozen=True):
    """`rows[i][j]` samples of class i were called j."""

    labels: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]


class Report(msgspec.Struct, frozen=True):
    """`figures` begins with the `headline` by which models are compared, "" where the data has no answers.

    `classes` has figures by class. `invoke_us` is the median of the runtime alone, `answers` counts pictures or windows,
    `warning` says what is not as it was asked for: a delegate that took nothing.
    """

    model: str
    backend: str
    runtime: str
    warning: str
    answers: int
    size_bytes: int
    invoke_us: float
    headline: str
    figures: Figures
    classes: dict[str, Figures]
    confusion: Matrix | None = None


Judged = tuple[Figures, dict[str, Figures], Matrix | None]


def judge(bundle: Bundle, data: Dataset, run: Run, good: str = "good") -> Report:
    """The figures that data and decoder call for; `good` is the class of what is no anomaly.

    Raises:
        InputError: an extra is not installed, or an anomaly model's data has no good samples, or only these.
    """
    figures, classes, matrix = _judged(bundle, data, run, good)
    return Report(
        model=bundle.identity,
        backend=run.backend,
        runtime=run.runtime,
        warning=run.warning,
        answers=len(run.answers),
        size_bytes=run.size_bytes,
        invoke_us=float(np.median([answer.invoke_ns for answer in run.answers])) / 1000,
        headline=next(iter(figures), ""),
        figures=figures,
        classes=classes,
        confusion=matrix,
    )


def _judged(bundle: Bundle, data: Dataset, run: Run, good: str) -> Judged:
    if data.task == "unlabelled":
        return {}, {}, None
    if data.task == "boxes":
        return _boxes(data, run, own_score(bundle))
    if bundle.manifest.decoder.kind == "anomaly":
        return _anomaly(data, run, good)
    return _classes(data, run)


def _boxes(data: Dataset, run: Run, score: float) -> Judged:
    """Average precision over all scores, recall and precision at the bundle's own."""
    area = average_precision(run.answers, data.labels)
    matches = against_truth(run.answers, data.labels, score)
    classes = {
        label: {
            "map50": area.at_50[label],
            "map50_95": area.at_50_95[label],
            "recall": matches.recall(label),
            "precision": matches.precision(label),
            "objects": float(matches.right[label] + matches.missed[label]),
        }
        for label in area.at_50
    }
    figures = {
        "map50": float(np.mean(list(area.at_50.values()))),
        "map50_95": float(np.mean(list(area.at_50_95.values()))),
        "recall": matches.recall(),
        "precision": matches.precision(),
        "score": score,
    }
    return figures, classes, None


def _classes(data: Dataset, run: Run) -> Judged:
    table = confusion(
        [answer.example.label for answer in run.answers], [answer.best for answer in run.answers], data.labels
    )
    classes = {
        label: {
            "recall": table.recall(label),
            "precision": table.precision(label),
            "samples": float(table.samples(label)),
        }
        for label in data.labels
        if table.samples(label)
    }
    figures = {"top1": table.top1, "mean_recall": float(np.mean([c["recall"] for c in classes.values()]))}
    return figures, classes, Matrix(table.labels, tuple(tuple(row) for row in table.table.tolist()))


def _anomaly(data: Dataset, run: Run, good: str) -> Judged:
    values: dict[str, list[float]] = {}
    for answer in run.answers:
        values.setdefault(answer.example.label, []).append(answer.value)
    sound = np.asarray(values.pop(good, []))
    if not len(sound) or not values:
        raise InputError(
            f"AUC needs samples of the class {good!r} and of another; the data has {', '.join(data.labels)} "
            f"(say which is good with --good NAME)"
        )
    classes = {
        label: {"auc": auc(sound, np.asarray(bad)), "samples": float(len(bad))}
        for label, bad in values.items()
    }
    everything = np.concatenate([np.asarray(bad) for bad in values.values()])
    return {"auc": auc(sound, everything), "good_samples": float(len(sound))}, classes, None
