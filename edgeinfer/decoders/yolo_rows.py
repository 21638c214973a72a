"""The rows of a YOLO output: which numbers of them mean what, and those that pass a score. Integers as long as can be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from edgeinfer.decoders.outputs import least
from edgeinfer.errors import BundleError
from edgeinfer.tensors import TensorSpec, dequantize

Array = NDArray[Any]
Floats = NDArray[np.float32]
BOX = 4


class Layout(NamedTuple):
    """Where in a row the classes begin; whether an objectness stands before them; whether it is one number, a class."""

    classes_at: int
    objectness: bool = False
    final: bool = False
    words: str = ""


LAYOUTS = {
    "raw": Layout(4, words="x y w h, then a score for each class"),
    "objectness": Layout(5, objectness=True, words="x y w h, objectness, then a score for each class"),
    "end2end": Layout(6, final=True, words="x0 y0 x1 y1, score, class"),
}


class Candidates(NamedTuple):
    """k rows: `boxes` (k, 4) and `extra` (k, more) as the model gives them, real; scores (k,); classes (k,) integers."""

    boxes: Floats
    scores: Floats
    classes: NDArray[np.intp]
    extra: Floats

    def taken(self, kept: Array) -> Candidates:
        return Candidates(self.boxes[kept], self.scores[kept], self.classes[kept], self.extra[kept])


@dataclass(frozen=True, slots=True)
class Rows:
    """How to read `spec`: `first` where its shape is (1, row, n). `extra` numbers end each row."""

    layout: Layout
    spec: TensorSpec
    first: bool
    classes: int  # 0 for a final layout, which gives their number
    extra: int

    def candidates(self, raw: Array, score: float, limit: int) -> Candidates:
        """The rows whose best class reaches `score`, the best `limit` of them."""
        table = raw[0] if self.first else raw[0].T  # (row, n)
        at = self._passing(raw[0], table, score)
        rows = table[:, at].T  # (k, row), still as it is stored
        best, real = self._best(rows), dequantize(rows, self.spec)
        scores = self._scores(real, best)
        sure = np.flatnonzero(scores >= score)
        if len(sure) > limit:
            sure = np.sort(sure[np.argsort(-scores[sure], kind="stable")[:limit]])
        classes = real[:, 5].astype(np.intp) if self.layout.final else best
        ends = self.layout.classes_at + self.classes
        return Candidates(real[:, :BOX], scores, classes, real[:, ends:]).taken(sure)

    def _passing(self, stored: Array, table: Array, score: float) -> Array:
        """Numbers of the rows that may reach `score`: one comparison for each stored number, nothing dequantized."""
        bound = least(score, self.spec)
        if self.layout.final or self.layout.objectness:  # no class is surer than its objectness
            return np.flatnonzero(table[BOX] >= bound)
        begin, end = self.layout.classes_at, self.layout.classes_at + self.classes
        if self.first:
            return np.flatnonzero(table[begin:end].max(axis=0) >= bound)
        return _rows_with(stored, begin, end, bound)

    def _best(self, rows: Array) -> Array:
        begin = self.layout.classes_at
        if self.layout.final:
            return np.zeros(len(rows), np.intp)
        return np.asarray(rows[:, begin : begin + self.classes].argmax(axis=1))

    def _scores(self, real: Floats, best: Array) -> Floats:
        if self.layout.final:
            return real[:, BOX]
        scores = real[np.arange(len(real)), self.layout.classes_at + best]
        return np.asarray(scores * real[:, BOX] if self.layout.objectness else scores, np.float32)


def _rows_with(stored: Array, begin: int, end: int, bound: float) -> Array:
    """Of `stored` (n, row), the rows with a number of at least `bound` in columns `begin` to `end`.

    Few pass. Numpy is slow at reducing many short rows and at looking for single True bytes; it is fast at
    comparing all, and at looking for eight of them that are not all False.
    """
    passed = stored >= bound
    passed[:, :begin] = False
    passed[:, end:] = False
    flat = passed.reshape(-1)
    whole = len(flat) // 8 * 8
    eights = np.flatnonzero(flat[:whole].view(np.uint64) != 0)
    single = (eights[:, None] * 8 + np.arange(8)).reshape(-1)
    at = np.concatenate([single[flat[single]], whole + np.flatnonzero(flat[whole:])])
    return np.unique(at // stored.shape[1])


def find_rows(name: str, spec: TensorSpec, labels: int, extra: int, prototypes: TensorSpec | None) -> Rows:
    """Which axis of `spec` is a row of the layout `name`.

    Raises:
        BundleError: neither axis has the length that labels, keypoints and prototypes ask for.
    """
    layout = LAYOUTS[name]
    classes = 0 if layout.final else labels
    if len(spec.shape) != 3:
        raise BundleError(
            f"outputs.predictions: expected (1, row, n) or (1, n, row), the tensor {spec.name!r} has {spec.shape}"
        )
    extras = _coefficients(prototypes) if prototypes is not None else [extra]
    for more in extras:
        length = layout.classes_at + classes + more
        if length in spec.shape[1:]:
            first = spec.shape[1] == length and not layout.final
            return Rows(layout, spec, first, classes, more)
    raise _misfit(name, spec, labels, extras)


def _coefficients(prototypes: TensorSpec) -> list[int]:
    """How many prototypes there may be: the second axis or the last."""
    if len(prototypes.shape) != 4:
        raise BundleError(
            f"outputs.prototypes: expected (1, k, h, w) or (1, h, w, k), "
            f"the tensor {prototypes.name!r} has {prototypes.shape}"
        )
    return [prototypes.shape[1], prototypes.shape[3]]


def _misfit(name: str, spec: TensorSpec, labels: int, extras: list[int]) -> BundleError:
    layout = LAYOUTS[name]
    row = min(spec.shape[1:])
    classes = row - layout.classes_at - extras[-1]
    more = f" and {' or '.join(map(str, dict.fromkeys(extras)))} numbers more" if any(extras) else ""
    wanted = layout.classes_at + (0 if layout.final else labels) + extras[-1]
    hint = f"; {classes} labels would fit" if classes > 0 and not layout.final and classes != labels else ""
    return BundleError(
        f"decoder.layout: {name!r} means rows of {layout.words}{more}: with {labels} labels {wanted} numbers; "
        f"the output {spec.name!r} has the shape {spec.shape}{hint}"
    )
