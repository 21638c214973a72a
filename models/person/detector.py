"""The person model by itself, for build.py and its neighbours: LiteRT, OpenCV and a few lines of decoding.

It is not what edgeinfer runs: it is written apart from it on purpose, so that the two check each other.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""BGR, (H, W, 3)."""

Found = NDArray[np.float32]
"""What was found in a picture, best first: (n, 5), each row x0, y0, x1, y1 (normalised) and score."""

SIDE = 300
STD = 127.5
MEAN_FLOAT = 127.5
"""As trained: -1..1."""
MEAN_INT8 = 127.0
"""With the tensor's scale 1/127.5 and zero point -1 the int8 value is then pixel - 128 exactly. 127.5 would fall
on halves, and rounding halves to even merges each second pair of grey levels."""

BOX_SCALE = np.float32([10.0, 10.0, 5.0, 5.0])
"""y, x, h, w: TF1 object detection's FasterRcnnBoxCoder, as in ssdlite_mobilenet_v2's pipeline.config."""

SCORE = 0.5
IOU = 0.5


def stretch(picture: Picture, mean: float = MEAN_FLOAT) -> NDArray[np.float32]:
    """The picture as the network was trained to see it: (1, 300, 300, 3) RGB, -1..1, aspect ratio given up."""
    rgb = cv2.cvtColor(cv2.resize(picture, (SIDE, SIDE)), cv2.COLOR_BGR2RGB)
    return ((rgb.astype(np.float32) - mean) / STD)[None]


def tensor_of(picture: Picture, tensor: dict[str, Any]) -> NDArray[Any]:
    """The picture as `tensor`, LiteRT's description of the input, wants it: float32 or int8."""
    quantized = tensor["dtype"] is np.int8
    return _quantize(stretch(picture, MEAN_INT8 if quantized else MEAN_FLOAT), tensor)


class Detector:
    """One .tflite, float or int8, on one thread of the CPU."""

    def __init__(self, model: Path | bytes, anchors: NDArray[np.float32]) -> None:
        """`anchors`: (1917, 4) float32; cy, cx, h, w, normalised."""
        content = model if isinstance(model, bytes) else model.read_bytes()
        self._tflite = Interpreter(model_content=content, num_threads=1)
        self._tflite.allocate_tensors()
        self._anchors = anchors
        self.input = self._tflite.get_input_details()[0]
        by_width = {tuple(d["shape"])[-1]: d for d in self._tflite.get_output_details()}
        self.boxes, self.logits = by_width[4], by_width[2]
        self.invoke_ms: list[float] = []

    def __call__(self, picture: Picture, score: float = SCORE) -> Found:
        self._tflite.set_tensor(self.input["index"], tensor_of(picture, self.input))
        start = time.perf_counter()
        self._tflite.invoke()
        self.invoke_ms.append((time.perf_counter() - start) * 1e3)
        return decode(self._read(self.boxes).reshape(-1, 4), self._read(self.logits)[0], self._anchors, score)

    def _read(self, output: dict[str, Any]) -> NDArray[np.float32]:
        return dequantize(self._tflite.get_tensor(output["index"]), output)


def _quantize(real: NDArray[np.float32], tensor: dict[str, Any]) -> NDArray[Any]:
    scale, zero = tensor["quantization"]
    return np.clip(np.round(real / scale + zero), -128, 127).astype(np.int8) if scale else real


def dequantize(raw: NDArray[Any], tensor: dict[str, Any]) -> NDArray[np.float32]:
    """Real values of `raw`, which LiteRT gave for `tensor`."""
    scale, zero = tensor["quantization"]
    return ((raw.astype(np.float32) - zero) * scale).astype(np.float32) if scale else raw


def decode(
    boxes: NDArray[np.float32],
    logits: NDArray[np.float32],
    anchors: NDArray[np.float32],
    score: float = SCORE,
) -> Found:
    """Raw SSD outputs to what was found, non-maximum suppression done.

    Args:
        boxes: (n, 4) float32; ty, tx, th, tw relative to the anchors and multiplied by BOX_SCALE.
        logits: (n, 2) float32; background, person.
        anchors: (n, 4) float32; cy, cx, h, w.
        score: what is below is left out.
    """
    scores = 1 / (1 + np.exp(-logits[:, 1]))
    keep = np.flatnonzero(scores >= score)
    keep = keep[np.argsort(-scores[keep], kind="stable")]
    t, anchor = boxes[keep] / BOX_SCALE, anchors[keep]
    centre = t[:, :2] * anchor[:, 2:] + anchor[:, :2]
    half = np.exp(t[:, 2:]) * anchor[:, 2:] / 2
    corners = np.clip(np.hstack([centre - half, centre + half]), 0, 1)[:, [1, 0, 3, 2]]
    return _suppress(np.column_stack([corners, scores[keep]]).astype(np.float32))


def _suppress(found: Found) -> Found:
    kept: list[int] = []
    overlap = iou(found, found)
    for i in range(len(found)):
        if not any(overlap[i, k] > IOU for k in kept):
            kept.append(i)
    return found[kept]


def iou(a: Found, b: Found) -> NDArray[np.float32]:
    """Intersection over union of each row of `a` with each of `b`: (len(a), len(b))."""
    top_left = np.maximum(a[:, None, :2], b[None, :, :2])
    side = np.clip(np.minimum(a[:, None, 2:4], b[None, :, 2:4]) - top_left, 0, None)
    both = side[..., 0] * side[..., 1]
    area_a, area_b = (np.prod(x[:, 2:4] - x[:, :2], axis=1) for x in (a, b))
    return both / (area_a[:, None] + area_b[None] - both)


def matches(found: Found, reference: Found) -> int:
    """How many rows pair up one to one with IoU >= 0.5; the best overlap first."""
    overlap = iou(found, reference)
    pairs = 0
    while overlap.size and overlap.max() >= IOU:
        i, j = np.unravel_index(overlap.argmax(), overlap.shape)
        overlap[i, :] = overlap[:, j] = -1
        pairs += 1
    return pairs
