"""Which findings a rule means: by label, score and place in the picture; says nothing about time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from edgeinfer.errors import InputError
from edgeinfer.events import Detection, Finding, Keypoints, Region, Value, box_of
from edgeinfer.geometry import Point, around, contains, is_simple
from edgeinfer.rules.checks import share

Anchor = Literal["centre", "foot"]
Scored = Detection | Keypoints | Region


class Selection:
    """Findings of `labels` (none: of any label), with at least `score`, whose anchor lies in `zone` (none: anywhere).

    A finding without a place (the score of a classifier) lies in no zone. A value read off has no score and is
    never meant.

    Raises:
        InputError: a value is wrong; begins with the key.
    """

    __slots__ = ("_foot", "_frame", "_score", "_zone", "labels")

    def __init__(self, labels: Iterable[str], score: float, zone: Sequence[Point], anchor: Anchor) -> None:
        self.labels = frozenset(labels)
        self._score = share("score", score)
        self._zone = checked_zone(zone)
        self._frame = around(self._zone) if self._zone else None
        if anchor not in ("centre", "foot"):
            raise InputError(f'anchor: expected "centre" or "foot", found {anchor!r}')
        self._foot = anchor == "foot"

    def of(self, findings: Iterable[Finding]) -> list[Finding]:
        labels, least = self.labels, self._score
        return [
            f
            for f in findings
            if (not labels or f.label in labels)
            and not isinstance(f, Value)
            and f.score >= least
            and (self._frame is None or self._inside(f))
        ]

    def _inside(self, finding: Finding) -> bool:
        box = box_of(finding)
        if box is None or self._frame is None:
            return False
        x, y = box.foot if self._foot else box.centre
        left, top, right, bottom = self._frame  # most lie outside of it: that is quick to see
        return left <= x <= right and top <= y <= bottom and contains(self._zone, (x, y))


def checked_zone(zone: Sequence[Point]) -> tuple[Point, ...]:
    """The polygon, when it is one.

    Raises:
        InputError: fewer than three corners, corners outside of the picture, no area, or sides that cross.
    """
    corners = tuple((float(x), float(y)) for x, y in zone)
    if not corners:
        return ()
    if len(corners) < 3:
        raise InputError(f"zone: a polygon has at least 3 corners, found {len(corners)}")
    outside = next(((x, y) for x, y in corners if not (0 <= x <= 1 and 0 <= y <= 1)), None)
    if outside:
        raise InputError(
            f"zone: the corner {list(outside)} lies outside of the picture; corners go from [0, 0] (left, top) "
            "to [1, 1] (right, bottom): divide pixels by the picture's width and height"
        )
    if not is_simple(corners):
        raise InputError("zone: its sides cross one another; give the corners in order around the zone")
    if _area(corners) == 0:
        raise InputError("zone: its corners lie on one line, so that it has no area")
    return corners


def _area(corners: Sequence[Point]) -> float:
    """Shoelace formula."""
    pairs = zip(corners, (*corners[1:], corners[0]), strict=True)
    return abs(sum(xa * yb - xb * ya for (xa, ya), (xb, yb) in pairs)) / 2
