"""YOLO from v5 to 26: one decoder, with a table of how a row is laid out; detect, pose and segment. Pure.

Source of the layouts: the exported graphs themselves, compared by tests/parity with Ultralytics' own decode.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgeinfer.decoders.nms import nms
from edgeinfer.decoders.outputs import check_roles, class_name, input_size, role
from edgeinfer.decoders.yolo_masks import Prototypes
from edgeinfer.decoders.yolo_rows import Rows, find_rows
from edgeinfer.events import Detection, Finding, Keypoints, Region
from edgeinfer.geometry import Box
from edgeinfer.ports import DecoderPlace

Array = NDArray[Any]
Floats = NDArray[np.float32]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=1)]


class YoloOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`layout`: "raw" (v8, 11, 26), "objectness" (v5), "end2end" (v10, 26, and suppression that was exported).

    `score` and `iou` have the defaults of Ultralytics' predict.
    """

    layout: Literal["raw", "objectness", "end2end"] = "raw"
    task: Literal["detect", "pose", "segment"] = "detect"
    units: Literal["normalized", "pixels"] = "normalized"
    score: Share = 0.25
    iou: Share = 0.7
    keypoints: tuple[Count, Annotated[int, Meta(ge=2, le=3)]] = (17, 3)  # points, and numbers of each
    give: Literal["shapes", "boxes", "both"] = "shapes"
    max_candidates: Count = 1000  # the best of what passes `score` go into suppression
    max_findings: Count = 100


class Yolo:
    """Role `predictions`: (1, row, n) or (1, n, row); for segment `prototypes` too: (1, k, h, w) or (1, h, w, k).

    A pose is found as `Keypoints`, a segment as a `Region` (the largest part of its mask; nothing is found where the
    mask is empty), unless `give` asks for `Detection`s instead, or both: rules that count would count both.
    """

    Options = YoloOptions

    def __init__(self, options: YoloOptions, place: DecoderPlace) -> None:
        """Raises BundleError when roles, shapes, options and labels do not fit together."""
        segment = options.task == "segment"
        check_roles(place, ("predictions", "prototypes") if segment else ("predictions",))
        self._options, self._labels = options, place.labels
        self._predictions = role(place, "predictions")
        prototypes = role(place, "prototypes") if segment else None
        extra = options.keypoints[0] * options.keypoints[1] if options.task == "pose" else 0
        self._rows: Rows = find_rows(options.layout, self._predictions, len(place.labels), extra, prototypes)
        key = "outputs.prototypes" if segment else "decoder.units"
        size = input_size(place, key) if segment or options.units == "pixels" else (1, 1)
        height, width = size if options.units == "pixels" else (1, 1)
        self._units = np.array([width, height], np.float32)
        self._masks = Prototypes(prototypes, self._rows.extra, size) if prototypes is not None else None

    def decode(self, outputs: Mapping[str, Array]) -> list[Finding]:
        options = self._options
        found = self._rows.candidates(outputs[self._predictions.name], options.score, options.max_candidates)
        if not len(found.scores):
            return []
        corners = self._corners(found.boxes)
        if options.layout == "end2end":
            kept = np.argsort(-found.scores, kind="stable")[: options.max_findings]
        else:
            kept = nms(corners, found.scores, found.classes, options.iou, options.max_findings)
        names = [class_name(self._labels, number) for number in found.classes[kept].tolist()]
        named = kept[[name is not None for name in names]]
        heads = [
            (name, score)
            for name, score in zip(names, found.scores[kept].tolist(), strict=True)
            if name is not None
        ]
        return self._findings(heads, corners[named], found.extra[named], outputs)

    def _corners(self, boxes: Floats) -> Floats:
        """(k, 4) x0 y0 x1 y1, normalised to the model's input."""
        if self._options.layout == "end2end":
            return np.asarray(boxes / np.tile(self._units, 2), np.float32)
        centre, half = boxes[:, :2] / self._units, boxes[:, 2:] / (2 * self._units)
        return np.concatenate([centre - half, centre + half], axis=1)

    def _findings(
        self, heads: list[tuple[str, float]], corners: Floats, extra: Floats, outputs: Mapping[str, Array]
    ) -> list[Finding]:
        boxes: list[Finding] = [
            Detection(*head, Box(*box)) for head, box in zip(heads, corners.tolist(), strict=True)
        ]
        if self._options.task == "detect" or self._options.give == "boxes":
            return boxes
        if self._masks is None:
            shapes = self._poses(heads, extra)
        else:
            outlines = self._masks.outlines(outputs, extra, corners)
            boxes = [box for box, points in zip(boxes, outlines, strict=True) if points]
            shapes = [Region(*head, points) for head, points in zip(heads, outlines, strict=True) if points]
        return shapes if self._options.give == "shapes" else boxes + shapes

    def _poses(self, heads: list[tuple[str, float]], extra: Floats) -> list[Finding]:
        points = extra.reshape(len(extra), *self._options.keypoints)
        sure = points[..., 2:] if points.shape[2] == 3 else np.ones((*points.shape[:2], 1), np.float32)
        rows = np.concatenate([points[..., :2] / self._units, sure], axis=2).tolist()
        return [
            Keypoints(*head, tuple((x, y, s) for x, y, s in row))
            for head, row in zip(heads, rows, strict=True)
        ]
