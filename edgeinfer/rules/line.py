"""The rule `line`: how many have crossed it, and which way? Each identity once; who is who is the tracker's matter.

The state is a number: the crossings in `direction` since the pipeline began.

| state   | becomes                                                                                                |
|---------|--------------------------------------------------------------------------------------------------------|
| unknown | the number so far, at the first look                                                                   |
| n       | n + 1 for each identity that crosses; `unknown` when the source is lost (what crosses meanwhile is not seen) |

An identity is on a side once its anchor is further than `margin` from the line; in between it keeps its side, so that
trembling on the line is no crossing. It crosses when it comes to be on the other side and its way from where it was last
on a side goes through the line, not past its ends. After its first crossing it is not counted again, unless `again`
says so: then each crossing back and forth counts.

Seen from the line's first point towards its second, forward is from the right hand to the left: a line from top to
bottom is crossed forward from left to right, and one from left to right is crossed forward from the bottom up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Finding, Inference, Lost, Observation, State, box_of
from edgeinfer.geometry import Point, side
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Share, labels_of
from edgeinfer.rules.followed import Followed
from edgeinfer.rules.select import Anchor, Selection
from edgeinfer.rules.states import States

Direction = Literal["both", "forward", "backward"]


class _Way(NamedTuple):
    """Where an identity was last on a side, and whether it crossed."""

    at: Point
    forward_of: bool
    crossed: bool


class _Crossing(NamedTuple):
    finding: Finding
    direction: str


class Line:
    """The number of crossings; details: direction, label, track, and how many went each way so far."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; places normalised."""

        line: tuple[Point, ...]
        direction: Direction = "both"
        labels: str | tuple[str, ...] = ()  # empty: of any label
        score: Share = 0.0  # what a track is made of is the tracker's matter
        anchor: Anchor = "centre"
        margin: Annotated[float, Meta(ge=0, le=0.5)] = 0.01
        again: bool = False

    states = "number"
    tracks = True

    def __init__(self, options: Options, place: RulePlace) -> None:
        self.labels = labels_of("labels", options.labels)
        self._a, self._b = checked_line(options.line)
        (xa, ya), (xb, yb) = self._a, self._b
        self._margin = options.margin * ((xb - xa) ** 2 + (yb - ya) ** 2) ** 0.5  # as `side` measures it
        self._selection = Selection(self.labels, options.score, (), options.anchor)
        self._foot, self._again, self._direction = options.anchor == "foot", options.again, options.direction
        self._ways: dict[str, Followed[_Way]] = {}
        self._counts: dict[str, dict[str, int]] = {}
        self._states = States(place, self._details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        if isinstance(seen, Inference):
            return self._look(seen)
        if isinstance(seen, Lost) and seen.key[0] in self._ways:
            self._ways[seen.key[0]].forget()
        return self._states.meanwhile(seen)

    def _look(self, seen: Inference) -> Sequence[Decision]:
        subject = seen.key[0]
        ways = self._ways.get(subject)
        if ways is None:
            ways = self._ways[subject] = Followed()
            self._counts[subject] = {"forward": 0, "backward": 0}
        ways.look(seen.at)
        told = list(self._states.see(seen, self._number(subject), 0, (subject, None)))
        for finding in self._selection.of(seen.findings):
            if finding.track is not None and (crossing := self._step(seen, ways, finding, finding.track)):
                self._counts[subject][crossing.direction] += 1
                told += self._states.see(seen, self._number(subject), 0, (subject, crossing))
        return told

    def _step(self, seen: Inference, ways: Followed[_Way], finding: Finding, track: int) -> _Crossing | None:
        box = box_of(finding)
        if box is None:
            return None
        here, was = (box.foot if self._foot else box.centre), ways.known.get(track)
        off = side(self._a, self._b, here)
        if abs(off) <= self._margin:
            if was is not None:
                ways.put(track, was, seen.at)
            return None
        forward_of = off < 0
        through = was is not None and was.forward_of != forward_of and self._through(was.at, here)
        crossed = was is not None and was.crossed
        ways.put(track, _Way(here, forward_of, crossed or through), seen.at)
        if not through or (crossed and not self._again):
            return None
        return _Crossing(finding, "forward" if forward_of else "backward")

    def _through(self, start: Point, end: Point) -> bool:
        """Whether the way from `start` to `end`, which changes sides, goes between the line's ends."""
        return side(start, end, self._a) * side(start, end, self._b) <= 0

    def _number(self, subject: str) -> int:
        counts = self._counts[subject]
        return sum(counts.values()) if self._direction == "both" else counts[self._direction]

    def _details(self, state: State, evidence: tuple[str, _Crossing | None]) -> dict[str, Any]:
        del state
        subject, crossing = evidence
        counts: dict[str, Any] = dict(self._counts[subject])
        if crossing is None:
            return counts
        label, track = crossing.finding.label, crossing.finding.track
        return {"direction": crossing.direction, "label": label, "track": track} | counts


def checked_line(line: Sequence[Point]) -> tuple[Point, Point]:
    """The two points.

    Raises:
        InputError: not two of them, outside of the picture, or both the same.
    """
    if len(line) != 2:
        raise InputError(f"line: expected two points, [[x, y], [x, y]], found {len(line)}")
    for point in line:
        if not all(0 <= v <= 1 for v in point):
            raise InputError(
                f"line: the point {list(point)} lies outside of the picture; points go from [0, 0] (left, top) "
                "to [1, 1] (right, bottom): divide pixels by the picture's width and height"
            )
    if line[0] == line[1]:
        raise InputError(f"line: both points are {list(line[0])}: a line of no length is never crossed")
    return line[0], line[1]
