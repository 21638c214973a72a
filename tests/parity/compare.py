"""What edgeinfer finds against what Ultralytics finds in the same picture: pairs, and how far apart they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from edgeinfer.events import Detection, Finding, Keypoints, Region, Score
from edgeinfer.geometry import Affine, Box, iou

IOU, SCORE, POINT, MASK = 0.99, 0.002, 0.002, 0.97
"""Boxes as the issue asks. Points are shares of the picture. A mask of few pixels is compared as an outline that may
be 0.75 pixel off it, so it gets less than a box."""
NEAR = 0.003  # a score so near the threshold may be found by one of two only


@dataclass(slots=True)
class Parity:
    pictures: int = 0
    findings: int = 0
    iou: float = 1.0
    score: float = 0.0
    point: float = 0.0
    mask: float = 1.0
    wrong: tuple[str, ...] = ()

    def worse(self, other: Parity) -> Parity:
        return Parity(
            self.pictures + other.pictures, self.findings + other.findings, min(self.iou, other.iou),
            max(self.score, other.score), max(self.point, other.point), min(self.mask, other.mask),
            self.wrong + other.wrong,
        )  # fmt: skip

    def verdict(self) -> list[str]:
        """What is out of tolerance, each a sentence."""
        found = list(self.wrong)
        bounds = [
            ("IoU of boxes", self.iou, self.iou >= IOU),
            ("difference of scores", self.score, self.score <= SCORE),
            ("distance of points", self.point, self.point <= POINT),
            ("IoU of masks", self.mask, self.mask >= MASK),
        ]
        return found + [f"worst {name}: {value:.4f}" for name, value, met in bounds if not met]


def told_of(told: Mapping[str, np.ndarray], start: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin with `start` and a slash, without that: of one picture, say."""
    start += "/"
    return {key.removeprefix(start): told[key] for key in told if key.startswith(start)}


def compare(
    findings: Sequence[Finding],
    told: Mapping[str, np.ndarray],
    labels: Sequence[str],
    back: Affine,
    size: tuple[int, int],
    least: float,
) -> Parity:
    """One picture: `findings` normalised to it (with boxes and shapes), `told` as teach.py wrote it.

    `back` and `size` (height, width) of the model's input carry outlines to Ultralytics' masks.
    """
    if "probs" in told:
        return _classes(findings, told["probs"], labels)
    boxes = [f for f in findings if isinstance(f, Detection)]
    shapes = [f for f in findings if not isinstance(f, Detection)]
    result, used = Parity(1, len(boxes)), set()
    masks = _masks(told)
    for i, (box, score, kind) in enumerate(zip(told["boxes"], told["scores"], told["classes"], strict=True)):
        label = labels[int(kind)]
        same = [n for n, f in enumerate(boxes) if f.label == label and n not in used]
        best = max(same, key=lambda n: iou(boxes[n].box, Box(*box.tolist())), default=None)
        if best is None or iou(boxes[best].box, Box(*box.tolist())) < 0.5:
            if score > least + NEAR:
                result.wrong += (f"{label} {score:.3f} was not found",)
            continue
        used.add(best)
        shape = shapes[best] if shapes else None
        result.iou = min(result.iou, iou(boxes[best].box, Box(*box.tolist())))
        result.score = max(result.score, abs(boxes[best].score - float(score)))
        if isinstance(shape, Keypoints):
            points = np.clip(np.array(shape.points), 0, 1)  # Ultralytics holds them within the picture
            result.point = max(result.point, float(np.abs(points - told["points"][i]).max()))
        if isinstance(shape, Region):
            result.mask = min(result.mask, _overlap(shape, masks[i], back, size))
    more = [f for n, f in enumerate(boxes) if n not in used and f.score > least + NEAR]
    result.wrong += tuple(f"{f.label} {f.score:.3f} was found by edgeinfer only" for f in more)
    return result


def _classes(findings: Sequence[Finding], probs: np.ndarray, labels: Sequence[str]) -> Parity:
    ours = {f.label: f.score for f in findings if isinstance(f, Score)}
    far = max(abs(ours.get(label, 0.0) - float(p)) for label, p in zip(labels, probs, strict=True))
    return Parity(1, len(ours), score=far)


def _masks(told: Mapping[str, np.ndarray]) -> np.ndarray:
    if "masks" not in told:
        return np.zeros((0, 0, 0), bool)
    shape = tuple(told["mask_shape"].tolist())
    return np.unpackbits(told["masks"], count=int(np.prod(shape))).reshape(shape).astype(bool)


def _overlap(region: Region, mask: np.ndarray, back: Affine, size: tuple[int, int]) -> float:
    """IoU with the largest part of Ultralytics' mask, holes filled; an empty mask is no matter."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return 1.0
    theirs = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(theirs, [max(outlines, key=cv2.contourArea)], -1, 1, -1)
    there = back.inverse()
    corners = np.array([there.point(p) for p in region.outline]) * size[::-1]
    ours = _filled(corners, mask.shape)
    either = (ours | (theirs > 0)).sum()
    return float((ours & (theirs > 0)).sum() / either) if either else 1.0


def _filled(corners: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The pixels whose middle lies in the polygon; drawn four times as fine, since OpenCV's polygons own their border."""
    fine = np.zeros((shape[0] * 4, shape[1] * 4), np.uint8)
    cv2.fillPoly(fine, [np.rint(corners * 4 - 0.5).astype(np.int32)], 1)
    return fine[2::4, 2::4] > 0
