"""Detections against what is there: average precision, and recall and precision at one threshold; opens no file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import numpy as np

from edgeinfer.errors import InputError
from edgeinfer.evaluate.run import Answer
from edgeinfer.events import Detection
from edgeinfer.geometry import Box, iou

AT_IOU = 0.5
"""A box is found when one of its label overlaps it by this much: the usual bar, Pascal VOC's."""


@dataclass(frozen=True, slots=True)
class AveragePrecision:
    """Of each class that occurs in the data: at IoU 0.5, and the mean over 0.50, 0.55 … 0.95."""

    at_50: dict[str, float]
    at_50_95: dict[str, float]


def average_precision(answers: Sequence[Answer], labels: Sequence[str]) -> AveragePrecision:
    """As pycocotools computes it (101 recall points, 100 findings a picture, crowds left aside).

    Raises:
        InputError: pycocotools is not installed, or the data holds no object.
    """
    COCO, COCOeval = _pycocotools()  # noqa: N806  classes, under the names of their package
    numbers = {label: n for n, label in enumerate(labels, start=1)}
    truth, found = COCO(), _found(answers, numbers)
    truth.dataset = _truth(answers, numbers)
    present = [
        label
        for label in labels
        if any(a["category_id"] == numbers[label] for a in truth.dataset["annotations"])
    ]
    if not present:
        raise InputError("the data holds no object: average precision needs some")
    if not found:
        return AveragePrecision(dict.fromkeys(present, 0.0), dict.fromkeys(present, 0.0))
    with redirect_stdout(StringIO()):  # it prints as it goes
        truth.createIndex()
        judged = COCOeval(truth, truth.loadRes(found), "bbox")
        judged.evaluate()
        judged.accumulate()
    precision = judged.eval["precision"][
        :, :, :, 0, 2
    ]  # thresholds, recall points, classes; all areas, 100 findings
    columns = {label: precision[:, :, numbers[label] - 1] for label in present}
    return AveragePrecision(
        {label: _mean(column[0]) for label, column in columns.items()},
        {label: _mean(column) for label, column in columns.items()},
    )


def _pycocotools() -> tuple[Any, Any]:
    try:
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval
    except ImportError as error:
        raise InputError(
            "average precision needs pycocotools, which is not installed: pip install 'edgeinfer[eval]'"
        ) from error
    return COCO, COCOeval


def _mean(values: np.ndarray) -> float:
    """-1 stands for what does not occur."""
    return float(values[values > -1].mean()) if (values > -1).any() else 0.0


def _truth(answers: Sequence[Answer], numbers: dict[str, int]) -> dict[str, Any]:
    images = [{"id": n, "width": a.size_px[0], "height": a.size_px[1]} for n, a in enumerate(answers)]
    boxes = [(n, answer, true) for n, answer in enumerate(answers) for true in answer.example.boxes]
    annotations = [
        {
            "id": serial,
            "image_id": n,
            "category_id": numbers[true.label],
            "bbox": (box := _pixels(true.box, answer.size_px)),
            "area": box[2] * box[3],
            "iscrowd": int(true.crowd),
        }
        for serial, (n, answer, true) in enumerate(boxes, start=1)
    ]
    categories = [{"id": number, "name": label} for label, number in numbers.items()]
    return {"images": images, "annotations": annotations, "categories": categories}


def _found(answers: Sequence[Answer], numbers: dict[str, int]) -> list[dict[str, Any]]:
    """Findings of classes that the data does not know are left out."""
    return [
        {
            "image_id": n,
            "category_id": numbers[finding.label],
            "bbox": _pixels(finding.box, answer.size_px),
            "score": finding.score,
        }
        for n, answer in enumerate(answers)
        for finding in answer.findings
        if isinstance(finding, Detection) and finding.label in numbers
    ]


def _pixels(box: Box, size_px: tuple[int, int]) -> list[float]:
    width, height = size_px
    return [box.x0 * width, box.y0 * height, (box.x1 - box.x0) * width, (box.y1 - box.y0) * height]


@dataclass
class Matches:
    """Counts over pictures, by label."""

    right: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)

    def add(
        self, there: Iterable[tuple[str, Box]], found: Iterable[Detection], aside: Iterable[Box] = ()
    ) -> None:
        """Pairs one to one, the surest first; what lies on a box of `aside` (a crowd) counts neither way."""
        left, crowds = list(there), list(aside)
        for finding in sorted(found, key=lambda f: -f.score):
            same = [(iou(box, finding.box), (label, box)) for label, box in left if label == finding.label]
            overlap, best = max(same, key=lambda pair: pair[0], default=(0.0, None))
            if best is not None and overlap >= AT_IOU:
                left.remove(best)
                self.right[finding.label] += 1
            elif not any(iou(crowd, finding.box) > 0 for crowd in crowds):
                self.false[finding.label] += 1
        self.missed.update(label for label, _ in left)

    def labels(self) -> list[str]:
        return sorted({*self.right, *self.false, *self.missed})

    def recall(self, label: str | None = None) -> float:
        """Share of what is there that was found; of all labels without one; 1 where nothing is there."""
        right, missed = _count(self.right, label), _count(self.missed, label)
        return right / (right + missed) if right + missed else 1.0

    def precision(self, label: str | None = None) -> float:
        """Share of what was found that is there; 1 where nothing was found."""
        right, false = _count(self.right, label), _count(self.false, label)
        return right / (right + false) if right + false else 1.0


def _count(counts: Counter[str], label: str | None) -> int:
    return counts.total() if label is None else counts[label]


def detections(answer: Answer, score: float) -> list[Detection]:
    return [f for f in answer.findings if isinstance(f, Detection) and f.score >= score]


def against_truth(answers: Iterable[Answer], labels: Sequence[str], score: float) -> Matches:
    """What reaches `score` against the boxes of the data; labels that the data does not know are left out."""
    matches = Matches()
    for answer in answers:
        true = answer.example.boxes
        found = [f for f in detections(answer, score) if f.label in labels]
        matches.add([(t.label, t.box) for t in true if not t.crowd], found, [t.box for t in true if t.crowd])
    return matches
