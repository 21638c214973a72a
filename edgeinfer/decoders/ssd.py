"""SSD: raw boxes with anchors and class logits, or the four outputs of TFLite_Detection_PostProcess; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgeinfer.decoders.anchors import grid_anchors
from edgeinfer.decoders.nms import nms
from edgeinfer.decoders.outputs import (
    Activation,
    activate,
    check_labels,
    check_roles,
    class_name,
    input_size,
    least,
    logit,
    role,
)
from edgeinfer.errors import BundleError
from edgeinfer.events import Detection
from edgeinfer.geometry import Box
from edgeinfer.ports import Decoder, DecoderPlace
from edgeinfer.tensors import dequantize

Array = NDArray[Any]
Floats = NDArray[np.float32]
Share = Annotated[float, Meta(ge=0, le=1)]

_LARGEST = 10.0  # no box is 22,000 times as large as its anchor; what says so must not overflow


class SsdOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`anchors` names the .npy of raw outputs, (n, 4) float32: cy, cx, h, w, normalised to the model's input.

    `grid` stands for anchors of the input's own size: [[stride, anchors per cell], …], as BlazeFace has them.
    Without both the roles are boxes, classes, scores and count, as TFLite_Detection_PostProcess gives them.
    """

    anchors: str = ""
    grid: tuple[tuple[Annotated[int, Meta(ge=1)], Annotated[int, Meta(ge=1)]], ...] = ()
    box_scale: tuple[float, float, float, float] = (10.0, 10.0, 5.0, 5.0)
    """In the order of `box`; FasterRcnnBoxCoder of the TensorFlow Object Detection API."""
    box: Literal["yxhw", "xywh"] = "yxhw"
    sizes: Literal["log", "plain"] = "log"  # height and width as logarithms, or as they are
    activation: Activation = "sigmoid"
    background: bool = True  # column 0 of the scores is no class
    score: Share = 0.5
    iou: Share = 0.5
    max_candidates: Annotated[int, Meta(ge=1)] = 200  # the best of what passes `score` go into suppression
    max_findings: Annotated[int, Meta(ge=1)] = 100


class Ssd:
    """Built for one model; which of the two kinds of outputs it has, the option `anchors` says."""

    Options = SsdOptions

    def __init__(self, options: SsdOptions, place: DecoderPlace) -> None:
        """Raises BundleError when roles, shapes, anchors or labels do not fit together."""
        raw = options.anchors or options.grid
        self._decoder: Decoder = (_Raw if raw else _PostProcessed)(options, place)
        self.decode = self._decoder.decode


class _Raw:
    """Boxes (1, n, 4) or (1, n, 1, 4): ty tx th tw; scores (1, n, classes): logits.

    With a `grid`, what stands behind a box in its row, as the eyes of BlazeFace do, is left out: (1, n, 4 and more).
    """

    def __init__(self, options: SsdOptions, place: DecoderPlace) -> None:
        check_roles(place, ("boxes", "scores"))
        self._options, self._labels = options, place.labels
        self._boxes, self._scores = role(place, "boxes"), role(place, "scores")
        self._first = int(options.background)
        self._classes = self._scores.shape[-1] if len(self._scores.shape) == 3 else 0
        self._anchors = _anchors(options, place)
        self._check(place)
        bound = {
            "sigmoid": logit(options.score),
            "softmax": min(0.0, logit(options.score)),
            "none": options.score,
        }
        self._least = least(bound[options.activation], self._scores)
        step = self._scores.scale if self._scores.quantized else 1.0
        self._gap = bound["softmax"] / step - 1  # one generous, as `least` is
        self._box_scale = (self._boxes.scale or 1.0) / np.asarray(options.box_scale, np.float32)

    def _check(self, place: DecoderPlace) -> None:
        n = len(self._anchors)
        if self._anchors.shape != (n, 4):
            raise BundleError(f"decoder.anchors: expected an array (n, 4), found {self._anchors.shape}")
        for name, tensor in (("boxes", self._boxes), ("scores", self._scores)):
            if (
                len(tensor.shape) < 3
                or tensor.shape[1] != n
                or (name == "boxes" and not self._fits(tensor.shape[-1]))
            ):
                wanted = f"(1, {n}, 4)" if name == "boxes" else f"(1, {n}, classes)"
                text = f"expected {wanted} for {n} anchors; the tensor {tensor.name!r} has {tensor.shape}"
                raise BundleError(f"outputs.{name}: {text}")
        check_labels(place, self._classes - self._first, self._scores, background=self._options.background)

    def _fits(self, columns: int) -> bool:
        return columns == 4 or (columns > 4 and bool(self._options.grid))

    def decode(self, outputs: Mapping[str, Array]) -> list[Detection]:
        raw = outputs[self._scores.name].reshape(-1, self._classes)
        rows, columns, scores = self._candidates(raw)
        if not len(rows):
            return []
        boxes = outputs[self._boxes.name].reshape(len(raw), -1)[rows, :4]
        corners = self._corners(boxes, self._anchors[rows])
        kept = nms(corners, scores, columns, self._options.iou, self._options.max_findings)
        return _detections(corners[kept], scores[kept], columns[kept], self._labels)

    def _candidates(self, raw: Array) -> tuple[Array, Array, Floats]:
        """(anchor, class, score) of what passes `score`, the best `max_candidates` of them.

        The threshold is applied to the stored integers; only what passes is ever dequantized.
        """
        classes = raw[:, self._first :]
        if (
            self._options.activation == "softmax"
        ):  # p >= score means: not further than so below the row's best
            passed = classes.astype(np.float32) - raw.max(axis=1, keepdims=True) >= self._gap
        else:
            passed = classes >= self._least
        if passed.shape[1] == 1:
            rows = np.flatnonzero(passed)
            columns = np.zeros_like(rows)
        else:
            rows, columns = np.nonzero(passed)
        scores = self._probabilities(raw, rows, columns)
        certain = scores >= self._options.score
        if certain.all() and len(scores) <= self._options.max_candidates:
            return rows, columns, scores
        best = np.flatnonzero(certain)
        if len(best) > self._options.max_candidates:
            best = np.sort(best[np.argsort(-scores[best], kind="stable")[: self._options.max_candidates]])
        return rows[best], columns[best], scores[best]

    def _probabilities(self, raw: Array, rows: Array, columns: Array) -> Floats:
        if self._options.activation == "softmax":
            whole = activate(dequantize(raw[rows], self._scores), "softmax")
            return np.asarray(whole[np.arange(len(rows)), columns + self._first])
        return activate(dequantize(raw[rows, columns + self._first], self._scores), self._options.activation)

    def _corners(self, raw: Array, anchors: Floats) -> Floats:
        """y0 x0 y1 x1, normalised."""
        t = (raw.astype(np.float32) - np.float32(self._boxes.zero_point)) * self._box_scale  # dequantized
        if self._options.box == "xywh":
            t = t[:, [1, 0, 3, 2]]
        sides = anchors[:, 2:]
        centre = t[:, :2] * sides + anchors[:, :2]
        plain = self._options.sizes == "plain"
        half = (np.maximum(t[:, 2:], 0) if plain else np.exp(np.minimum(t[:, 2:], _LARGEST))) * sides / 2
        return np.concatenate([centre - half, centre + half], axis=1)


def _anchors(options: SsdOptions, place: DecoderPlace) -> Floats:
    if options.anchors and options.grid:
        raise BundleError("decoder.grid: stands for anchors of its own; leave out decoder.anchors, or this")
    if options.grid:
        return grid_anchors(input_size(place, "decoder.grid"), options.grid)
    return np.asarray(place.arrays["anchors"], np.float32)


class _PostProcessed:
    """boxes (1, n, 4) y0 x0 y1 x1; classes (1, n) from 0, without the background; scores (1, n); count (1,).

    All are float32. Their shapes are unknown before the first invoke, so only calls can check them.
    """

    def __init__(self, options: SsdOptions, place: DecoderPlace) -> None:
        names = ("boxes", "classes", "scores", "count")
        check_roles(place, names)
        self._options, self._labels = options, place.labels
        self._specs = [role(place, name) for name in names]

    def decode(self, outputs: Mapping[str, Array]) -> list[Detection]:
        boxes, classes, scores, count = (dequantize(outputs[s.name], s) for s in self._specs)
        n = min(int(count.reshape(-1)[0]), scores.size)
        scores = scores.reshape(-1)[:n]
        kept = np.flatnonzero(scores >= self._options.score)
        kept = kept[np.argsort(-scores[kept], kind="stable")][: self._options.max_findings]
        columns = classes.reshape(-1)[kept].astype(np.int64)
        return _detections(boxes.reshape(-1, 4)[kept], scores[kept], columns, self._labels)


def _detections(corners: Floats, scores: Floats, columns: Array, labels: tuple[str, ...]) -> list[Detection]:
    found = []
    for (y0, x0, y1, x1), score, column in zip(
        corners.tolist(), scores.tolist(), columns.tolist(), strict=True
    ):
        label = class_name(labels, column)
        if label is not None:
            found.append(Detection(label, score, Box(x0, y0, x1, y1)))
    return found
