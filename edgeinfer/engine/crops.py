"""A stage of a cascade that asks a model about the crop of each finding: classify the part, read the gauge; not more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edgeinfer.engine.cascade import Clocked, Count, Meant, relabelled
from edgeinfer.engine.predictor import to_picture
from edgeinfer.events import Finding, Frame, Score, Value, box_of
from edgeinfer.geometry import Affine, Box
from edgeinfer.ports import Predictor

_LEAST_PX = 2  # a crop of less shows nothing


@dataclass(frozen=True)
class Cut:
    """`pad` is added on each side, in sizes of the box; `most` crops of a picture, those of the highest scores."""

    pad: float = 0.1
    most: int = 8


class Crops:
    """Each finding that is meant, with what the model says of its crop.

    A Score names the thing anew: its label and score become those of the finding, which keeps box and track. A Value is
    added, with the track of the finding that it was read off. What has a place is added in coordinates of the picture,
    with that track. Findings without a place, and those beyond `most`, stay as they are.
    """

    undecided = False

    def __init__(self, name: str, meant: Meant, predictor: Predictor, cut: Cut, count: Count) -> None:
        self._name, self._meant, self._predictor, self._cut, self._count = name, meant, predictor, cut, count

    def look(self, frame: Frame, findings: Sequence[Finding], clocked: Clocked) -> Sequence[Finding]:
        chosen = self._chosen(findings)
        looked: list[Finding] = []
        for n, finding in enumerate(findings):
            box = chosen.get(n)
            if box is None:
                looked.append(finding)
            else:
                looked += self._asked(frame, finding, box, clocked)
        return looked

    def forget(self, source: str) -> None:
        """Remembers nothing."""

    def _chosen(self, findings: Sequence[Finding]) -> dict[int, Box]:
        """Index → box of those that are asked about; equal scores in the order in which they were found."""
        meant = [
            (-getattr(f, "score", 0.0), n, box)
            for n, f in enumerate(findings)
            if f in self._meant and (box := box_of(f)) is not None
        ]
        if not meant:
            self._count(f"{self._name}.saved", 1)
        if len(meant) > self._cut.most:
            self._count(f"{self._name}.over", len(meant) - self._cut.most)
        return {n: box for _, n, box in sorted(meant)[: self._cut.most]}

    def _asked(self, frame: Frame, finding: Finding, box: Box, clocked: Clocked) -> Iterator[Finding]:
        made = crop(frame, box, self._cut.pad)
        if made is None:
            yield finding
            return
        small, back = made
        self._count(f"{self._name}.asked", 1)
        said = to_picture(clocked.ask(self._name, self._predictor, small), back)
        best = max((s for s in said if isinstance(s, Score)), key=lambda s: s.score, default=None)
        yield relabelled(finding, best.label, best.score) if best else finding
        for one in said:
            if isinstance(one, Value) or box_of(one) is not None:
                yield replace(one, track=finding.track)


def crop(frame: Frame, box: Box, pad: float) -> tuple[Frame, Affine] | None:
    """The part of the picture around `box`, and the map from its normalised coordinates to the picture's.

    None where less than two pixels are left of it. The pixels are a view, no copy.
    """
    height, width = frame.pixels.shape[:2]
    dx, dy = pad * (box.x1 - box.x0), pad * (box.y1 - box.y0)
    wide = Box(box.x0 - dx, box.y0 - dy, box.x1 + dx, box.y1 + dy).clipped()
    x0, y0 = math.floor(wide.x0 * width), math.floor(wide.y0 * height)
    x1, y1 = math.ceil(wide.x1 * width), math.ceil(wide.y1 * height)
    if min(x1 - x0, y1 - y0) < _LEAST_PX:
        return None
    back = Affine((x1 - x0) / width, (y1 - y0) / height, x0 / width, y0 / height)
    return Frame(frame.key, frame.at, frame.pixels[y0:y1, x0:x1]), back
