"""Judge a trained model: run it, decode its heat map, match what it found with what is true; no learning."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from scenes import INPUT_PX, WHOLE, Scene, fitted

from edgeinfer.sources.belt import LABELS, RADIUS, Part

SCORE = 0.5
BOX_SIZE = round(2 * RADIUS * INPUT_PX[1] / INPUT_PX[0], 3), 2 * RADIUS  # w, h in the model's input
Heat = Callable[[NDArray[np.uint8]], NDArray[np.float32]]  # RGB picture (h, w, 3) to logits (gh, gw, 4)


@dataclass(frozen=True)
class Found:
    label: str
    score: float
    box: tuple[float, float, float, float]  # normalised to the picture
    centre: tuple[float, float]


def runner(model: bytes) -> Heat:
    """The model on one thread of LiteRT; pixels are p / 255, then the tensor's own scale and zero point."""
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    inward, outward = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def heat(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        values: NDArray[Any] = picture.astype(np.float32) / 255
        if inward["dtype"] == np.int8:
            scale, zero = inward["quantization"]
            values = np.clip(np.round(values / scale) + zero, -128, 127).astype(np.int8)
        interpreter.set_tensor(inward["index"], values[None])
        interpreter.invoke()
        logits = interpreter.get_tensor(outward["index"])[0].astype(np.float32)
        scale, zero = outward["quantization"]
        return (logits - np.float32(zero)) * np.float32(scale) if outward["dtype"] == np.int8 else logits

    return heat


def decode(logits: NDArray[np.float32], score: float = SCORE) -> list[Found]:
    """Cells of one class that touch (8 neighbours) become one finding at their weighted centroid."""
    share = np.exp(logits - logits.max(-1, keepdims=True))
    share /= share.sum(-1, keepdims=True)
    best, (rows, columns) = share.argmax(-1), share.shape[:2]
    found = []
    for kind, label in enumerate(LABELS, start=1):
        mine = ((best == kind) & (share[..., kind] >= score)).astype(np.uint8)
        count, groups = cv2.connectedComponents(mine, connectivity=8)
        for group in range(1, count):
            y, x = np.nonzero(groups == group)
            p = share[y, x, kind]
            cx, cy = float(p @ (x + 0.5) / p.sum() / columns), float(p @ (y + 0.5) / p.sum() / rows)
            found.append(Found(label, float(p.max()), _box(cx, cy), (cx, cy)))
    return sorted(found, key=lambda one: -one.score)


def _box(x: float, y: float) -> tuple[float, float, float, float]:
    w, h = BOX_SIZE[0] / 2, BOX_SIZE[1] / 2
    return max(x - w, 0.0), max(y - h, 0.0), min(x + w, 1.0), min(y + h, 1.0)


@dataclass
class Tally:
    """Counts over pictures; only fully visible parts count, findings on other parts are left aside."""

    true: Counter[str] = field(default_factory=Counter)
    false: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)  # parts cut by the edge: silent, right, wrong
    offsets_px: list[float] = field(default_factory=list)  # of matched centres, in the model's input

    def add(self, found: list[Found], parts: list[Part]) -> None:
        free = [part for part in parts if part.visible >= WHOLE]
        for one in found:
            part = _nearest(one, parts)
            if part is None:
                self.false[one.label] += 1
            elif part.visible < WHOLE:
                continue
            elif part in free and one.label == part.label:
                free.remove(part)
                self.true[one.label] += 1
                self.offsets_px.append(_distance_px(one, part))
            else:
                self.false[one.label] += 1
        self.missed.update(part.label for part in free)
        for part in parts:
            if part.inside == part.visible < 0.9:
                said = {one.label for one in found if _nearest(one, parts) is part}
                self.cut["silent" if not said else "right" if said == {part.label} else "wrong"] += 1

    def figures(self) -> dict[str, dict[str, float]]:
        """Label to precision, recall, f1, parts."""
        result = {}
        for label in LABELS:
            true, false, missed = self.true[label], self.false[label], self.missed[label]
            result[label] = {
                "precision": true / max(true + false, 1),
                "recall": true / max(true + missed, 1),
                "f1": 2 * true / max(2 * true + false + missed, 1),
                "parts": true + missed,
            }
        return result

    @property
    def worst_f1(self) -> float:
        return min(figure["f1"] for figure in self.figures().values())


def judge(
    heat: Heat,
    scenes: Iterable[Scene],
    interpolation: int = cv2.INTER_LINEAR,
    size_px: tuple[int, int] = INPUT_PX,
) -> Tally:
    tally = Tally()
    for scene in scenes:
        tally.add(decode(heat(fitted(scene.picture, interpolation, size_px))), scene.parts)
    return tally


def agreement(one: Heat, other: Heat, scenes: Iterable[Scene]) -> float:
    """Share of the fully visible parts of which both models say the same."""
    same, parts = 0, 0
    for scene in scenes:
        found = [decode(heat(fitted(scene.picture))) for heat in (one, other)]
        for part in scene.parts:
            if part.visible >= WHOLE:
                said = [{f.label for f in each if _nearest(f, scene.parts) is part} for each in found]
                same, parts = same + (said[0] == said[1]), parts + 1
    return same / max(parts, 1)


def latency_ms(heat: Heat, runs: int = 200, size_px: tuple[int, int] = INPUT_PX) -> float:
    """Median of one call with conversion of the input and output, on one thread."""
    picture, spent = np.full((size_px[1], size_px[0], 3), 99, np.uint8), []
    for _ in range(runs):
        start = perf_counter()
        heat(picture)
        spent.append(perf_counter() - start)
    return float(np.median(spent)) * 1000


def _distance_px(found: Found, part: Part) -> float:
    dx, dy = found.centre[0] - part.centre[0], found.centre[1] - part.centre[1]
    return float(np.hypot(dx * INPUT_PX[0], dy * INPUT_PX[1]))


def _nearest(found: Found, parts: list[Part]) -> Part | None:
    """The part on which a finding lies: the nearest whose centre is within 0.6 of a radius."""
    near = [(_distance_px(found, part), part) for part in parts]
    distance, part = min(near, key=lambda pair: pair[0], default=(np.inf, None))
    return part if distance <= 0.6 * RADIUS * INPUT_PX[1] else None
