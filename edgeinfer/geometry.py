"""Boxes, zones and affine maps in normalised picture coordinates (0..1, x right, y down); nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

Point = tuple[float, float]


class Box(NamedTuple):
    """An axis-aligned box, normalised: left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        return max(0.0, self.x1 - self.x0) * max(0.0, self.y1 - self.y0)

    @property
    def centre(self) -> Point:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    @property
    def foot(self) -> Point:
        """Where a standing object touches the ground: the middle of the lower edge."""
        return (self.x0 + self.x1) / 2, self.y1

    def clipped(self) -> Box:
        x0, y0, x1, y1 = self
        return Box(
            min(1.0, max(0.0, x0)), min(1.0, max(0.0, y0)), min(1.0, max(0.0, x1)), min(1.0, max(0.0, y1))
        )


def around(points: Sequence[Point]) -> Box:
    """The smallest box around `points`, at least one."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return Box(min(xs), min(ys), max(xs), max(ys))


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0..1."""
    overlap = Box(max(a.x0, b.x0), max(a.y0, b.y0), min(a.x1, b.x1), min(a.y1, b.y1)).area
    union = a.area + b.area - overlap
    return overlap / union if union > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Affine:
    """`x' = sx·x + ox`, `y' = sy·y + oy`: carries model coordinates back to picture coordinates."""

    sx: float = 1.0
    sy: float = 1.0
    ox: float = 0.0
    oy: float = 0.0

    def point(self, p: Point) -> Point:
        return self.sx * p[0] + self.ox, self.sy * p[1] + self.oy

    def box(self, b: Box) -> Box:
        (x0, y0), (x1, y1) = self.point((b.x0, b.y0)), self.point((b.x1, b.y1))
        return Box(x0, y0, x1, y1)

    def inverse(self) -> Affine:
        return Affine(1 / self.sx, 1 / self.sy, -self.ox / self.sx, -self.oy / self.sy)


IDENTITY = Affine()


def is_simple(polygon: Sequence[Point]) -> bool:
    """At least three corners, and no two sides that cross."""
    n = len(polygon)
    if n < 3:
        return False
    sides = [(polygon[i], polygon[(i + 1) % n]) for i in range(n)]
    return not any(
        _cross(*sides[i], *sides[j]) for i in range(n) for j in range(i + 2, n) if (i, j) != (0, n - 1)
    )


def contains(polygon: Sequence[Point], point: Point) -> bool:
    """Whether `point` lies in `polygon`, by the even-odd rule (ray to the right)."""
    x, y = point
    inside = False
    for (xa, ya), (xb, yb) in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        if (ya > y) != (yb > y) and x < (xb - xa) * (y - ya) / (yb - ya) + xa:
            inside = not inside
    return inside


def side(a: Point, b: Point, c: Point) -> float:
    """Twice the area of the triangle; its sign is the side of the line a→b on which c lies."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    return side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
