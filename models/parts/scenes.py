"""What the model is trained and judged on: rendered belts, varied within bounds or outside of them; no learning."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.sources.belt import LABELS, Belt, BeltSettings, Part

INPUT_PX = (256, 192)  # width, height of the model's input: the belt's own aspect, so that nothing is padded
STRIDE = 8
GRID = (INPUT_PX[1] // STRIDE, INPUT_PX[0] // STRIDE)  # rows, columns
OWN_CELLS = 1.3  # radius around a part's centre, in cells
WHOLE = 0.99  # a part that shows at least this share of its disc is fully visible

# Belts count up from here; the three never meet.
TRAINING_SEED, HELD_OUT_SEED, UNTOUCHED_SEED = 1_000, 900_000, 3_000_000

# Ranges of training. What lies outside was never seen.
RANGES = {
    "light": (0.55, 1.5),
    "light_gradient": (0.0, 0.5),
    "light_angle_deg": (0.0, 360.0),
    "warmth": (-0.7, 0.7),
    "blur_px": (0.0, 1.2),
    "exposure_s": (0.001, 0.01),
    "noise": (0.0, 8.0),
    "speed_px_s": (40.0, 160.0),
    "overlap": (0.0, 0.3),
}
PLAIN = BeltSettings(scratched=0.34, hole_missing=0.33, overlap=0.04)
UNSEEN = {
    "darker": replace(PLAIN, light=0.42),
    "brighter": replace(PLAIN, light=1.75),
    "steeper light": replace(PLAIN, light_gradient=0.75, light_angle_deg=20.0),
    "colder light": replace(PLAIN, warmth=-1.0),
    "more blur": replace(PLAIN, blur_px=1.6),
    "more noise": replace(PLAIN, noise=12.0),
    "faster": replace(PLAIN, speed_px_s=320.0, parts_per_minute=144.0, exposure_s=0.01),
    "more pixels": replace(PLAIN, size_px=(800, 600), speed_px_s=133.0),
}


@dataclass(frozen=True)
class Scene:
    picture: NDArray[np.uint8]  # (H, W, 3) BGR
    parts: list[Part]


def varied(seed: int) -> BeltSettings:
    """Settings drawn from the ranges of training; parts lie denser than in the demo."""
    rng = np.random.default_rng([seed, 7])
    drawn = {name: float(rng.uniform(low, high)) for name, (low, high) in RANGES.items()}
    scale = float(rng.choice([1.0, 1.0, 1.0, 4 / 3]))
    size_px = (round(480 * scale), round(360 * scale))
    per_minute = 60 * drawn["speed_px_s"] / (rng.uniform(0.23, 0.4) * size_px[1])
    return replace(PLAIN, seed=seed, size_px=size_px, parts_per_minute=float(per_minute), **drawn)


def scenes(settings: BeltSettings, count: int) -> Iterator[Scene]:
    """`count` pictures of one belt, at least half a picture's width of travel apart."""
    belt, rng = Belt(settings), np.random.default_rng([settings.seed, 8])
    crossing_s = settings.size_px[0] / settings.speed_px_s
    t_s = float(rng.uniform(0, 100))
    for _ in range(count):
        t_s += crossing_s * float(rng.uniform(0.5, 1.1))
        yield Scene(belt.render(t_s), belt.truth(t_s))


def fitted(
    picture: NDArray[np.uint8], interpolation: int = cv2.INTER_LINEAR, size_px: tuple[int, int] = INPUT_PX
) -> NDArray[np.uint8]:
    """A picture of the input's aspect to the model's pixels: (h, w, 3) RGB."""
    small = cv2.resize(picture, size_px, interpolation=interpolation)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), np.uint8)


def targets(parts: list[Part]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Class of each cell (0 is background) and its weight in the loss, both `GRID` uint8.

    A part owns the cells around its centre, and nobody the cells between two parts: they weigh more, since
    cells that touch become one finding. A part that the edge of the picture cuts is background: it cannot be
    judged yet. What is nearly whole, or lies under another part, may be called either: weight 0.
    """
    rows, columns = np.mgrid[: GRID[0], : GRID[1]] + 0.5
    kind, weight, near = np.zeros(GRID, np.uint8), np.ones(GRID, np.uint8), np.zeros(GRID, np.uint8)
    for part in parts:
        x, y = part.centre[0] * GRID[1], part.centre[1] * GRID[0]
        distance = np.hypot(columns - x, rows - y)
        near += distance < 3.2
        own = distance < OWN_CELLS
        if part.visible >= WHOLE:
            weight[(distance < OWN_CELLS + 0.4) & (kind == 0)] = 0
            kind[own], weight[own] = 1 + LABELS.index(part.label), 8
        elif part.visible < part.inside - 0.01 or part.inside > 0.93:
            weight[own & (kind == 0)] = 0
    weight[(near > 1) & (weight == 1)] = 4
    return kind, weight


def dataset(
    first_seed: int, belts: int, per_belt: int, size_px: tuple[int, int] = INPUT_PX
) -> tuple[NDArray[np.uint8], ...]:
    """Pictures (n, h, w, 3) RGB, classes and weights (n, *GRID), all uint8, in random order of belts."""
    pictures, kinds, weights = [], [], []
    for seed in range(first_seed, first_seed + belts):
        how = cv2.INTER_AREA if seed % 3 == 0 else cv2.INTER_LINEAR  # whoever fits the picture may use either
        for scene in scenes(varied(seed), per_belt):
            kind, weight = targets(scene.parts)
            pictures.append(fitted(scene.picture, how, size_px))
            kinds.append(kind)
            weights.append(weight)
    return np.stack(pictures), np.stack(kinds), np.stack(weights)
