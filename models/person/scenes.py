"""Draws the golden pictures: people-like figures on a yard, made by us, so that nothing of others is committed.

They show that a runtime computes what build.py computed, no more: the model's quality is measured on real video.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from detector import Picture
from numpy.typing import NDArray

WIDTH, HEIGHT = 400, 300
FINER = 4
"""Drawn so many times larger and then averaged down, which gives soft edges as a lens does."""

Colour = tuple[int, int, int]
"""B, G, R."""


@dataclass(frozen=True)
class Figure:
    """Somebody who stands or walks. `foot` in pixels of the picture; `height` in pixels; `stride` 0 (stands) to 1."""

    foot: tuple[float, float]
    height: float
    jacket: Colour
    trousers: Colour
    stride: float = 0.5
    turn: int = 1
    hair: Colour = (30, 35, 45)


SCENES: dict[str, tuple[int, tuple[Figure, ...]]] = {
    "1": (11, (Figure((200, 266), 165, (52, 44, 40), (88, 70, 56), stride=0.6),)),
    "2": (
        12,
        (
            Figure((95, 256), 150, (38, 42, 96), (48, 40, 38), stride=0.6),
            Figure((300, 270), 165, (48, 46, 44), (95, 75, 60), stride=0.6, turn=-1),
        ),
    ),
    "3": (13, ()),
}
"""Picture name: seed of the ground's grain, and who is in it. The last one is empty on purpose."""


def draw(name: str) -> Picture:
    """The scene of that name, (300, 400, 3) uint8 BGR; the same on each call."""
    seed, figures = SCENES[name]
    canvas = cv2.resize(_yard(seed), None, fx=FINER, fy=FINER, interpolation=cv2.INTER_LINEAR)
    for figure in figures:
        _shadow(canvas, figure)
    for figure in figures:
        _person(canvas, figure)
    return cv2.resize(canvas, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)


def _yard(seed: int) -> Picture:
    """Asphalt that gets lighter with distance, a kerb and a wall of large plates behind it."""
    grain = _grain(seed)
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None]
    horizon = 95
    ground = np.where(rows < horizon, 150.0, 138 - 28 * (rows - horizon) / (HEIGHT - horizon)) + grain
    picture = np.repeat(ground[:, :, None], 3, axis=2) + np.float32([2, 0, -3])
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    for x in range(40, WIDTH, 80):
        cv2.line(picture, (x, 0), (x, horizon), (128, 128, 126), 1, cv2.LINE_AA)
    cv2.rectangle(picture, (0, horizon - 3), (WIDTH, horizon + 3), (172, 174, 175), -1)
    return picture


def _grain(seed: int) -> NDArray[np.float32]:
    """Patches of a few pixels: (HEIGHT, WIDTH) grey levels around 0. Coarse, so that the PNG stays small."""
    rng = np.random.default_rng(seed)
    coarse, fine = (
        rng.normal(0, s, (HEIGHT // k, WIDTH // k)).astype(np.float32) for k, s in ((20, 4), (4, 3))
    )
    return sum(cv2.resize(g, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR) for g in (coarse, fine))


def _shadow(canvas: Picture, who: Figure) -> None:
    dark = canvas.copy()
    centre = _at(who, 0.14, 0.0)
    axes = (int(0.22 * who.height * FINER), int(0.035 * who.height * FINER))
    cv2.ellipse(dark, centre, axes, 0, 0, 360, (70, 70, 72), -1, cv2.LINE_AA)
    cv2.addWeighted(dark, 0.6, canvas, 0.4, 0, dst=canvas)


def _person(canvas: Picture, who: Figure) -> None:
    """Back limbs first; proportions are those of an adult of 7.5 heads."""
    _leg(canvas, who, -who.stride, shade=0.75)
    _arm(canvas, who, who.stride, shade=0.75)
    _leg(canvas, who, who.stride, shade=1.0)
    _torso(canvas, who)
    _arm(canvas, who, -who.stride, shade=1.0)
    _head(canvas, who)


def _leg(canvas: Picture, who: Figure, swing: float, shade: float) -> None:
    hip, knee, ankle = (0.0, 0.50), (0.10 * swing, 0.27), (0.14 * swing - 0.03 * abs(swing), 0.045)
    _limb(canvas, who, [hip, knee, ankle], [0.085, 0.065, 0.045], _shaded(who.trousers, shade))
    toe = (ankle[0] + 0.06, 0.015)
    _limb(canvas, who, [(ankle[0] - 0.005, 0.025), toe], [0.04, 0.03], _shaded((28, 26, 26), shade))


def _arm(canvas: Picture, who: Figure, swing: float, shade: float) -> None:
    shoulder, elbow, wrist = (0.0, 0.79), (0.07 * swing - 0.02, 0.63), (0.13 * swing + 0.03, 0.49)
    _limb(canvas, who, [shoulder, elbow, wrist], [0.058, 0.052, 0.042], _shaded(who.jacket, shade * 0.9))
    _limb(canvas, who, [wrist, (wrist[0] + 0.008, 0.46)], [0.034, 0.03], _shaded((125, 150, 190), shade))


def _torso(canvas: Picture, who: Figure) -> None:
    outline = [(-0.055, 0.83), (0.055, 0.83), (0.095, 0.79), (0.085, 0.62), (0.085, 0.47), (-0.085, 0.47),
               (-0.08, 0.62), (-0.10, 0.79)]  # fmt: skip
    cv2.fillPoly(canvas, [np.int32([_at(who, *p) for p in outline])], who.jacket, cv2.LINE_AA)
    lit = [(-0.10, 0.79), (-0.055, 0.83), (-0.03, 0.83), (-0.045, 0.47), (-0.085, 0.47), (-0.08, 0.62)]
    cv2.fillPoly(canvas, [np.int32([_at(who, *p) for p in lit])], _shaded(who.jacket, 1.3), cv2.LINE_AA)


def _head(canvas: Picture, who: Figure) -> None:
    skin = (125, 150, 190)
    _limb(canvas, who, [(0.0, 0.82), (0.008, 0.88)], [0.055, 0.05], _shaded(skin, 0.8))
    size = (int(0.045 * who.height * FINER), int(0.062 * who.height * FINER))
    cv2.ellipse(canvas, _at(who, 0.01, 0.925), size, 0, 0, 360, skin, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, _at(who, -0.006, 0.947), size, 0, 150, 370, who.hair, -1, cv2.LINE_AA)


def _limb(
    canvas: Picture, who: Figure, joints: list[tuple[float, float]], widths: list[float], colour: Colour
) -> None:
    """A chain of tapering pieces, round at the joints; widths in body heights."""
    points = np.float64([_at(who, *j) for j in joints])
    radii = np.float64(widths) * who.height * FINER / 2
    for a, b, ra, rb in zip(points[:-1], points[1:], radii[:-1], radii[1:], strict=True):
        across = np.float64([a[1] - b[1], b[0] - a[0]]) / max(1.0, float(np.hypot(*(b - a))))
        sides = np.int32([a + across * ra, b + across * rb, b - across * rb, a - across * ra])
        cv2.fillConvexPoly(canvas, sides, colour, cv2.LINE_AA)
    for point, radius in zip(points, radii, strict=True):
        cv2.circle(canvas, (int(point[0]), int(point[1])), int(radius), colour, -1, cv2.LINE_AA)


def _at(who: Figure, forward: float, up: float) -> tuple[int, int]:
    """A point of the body, in body heights from the foot, to pixels of the canvas."""
    x, y = who.foot
    return int((x + forward * who.turn * who.height) * FINER), int((y - up * who.height) * FINER)


def _shaded(colour: Colour, factor: float) -> Colour:
    b, g, r = (min(255, int(c * factor)) for c in colour)
    return b, g, r
