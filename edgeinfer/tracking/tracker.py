"""Follows boxes from picture to picture and numbers them; knows nothing of labels, sources or rules.

Two rounds, as ByteTrack has them (Zhang et al. 2022): boxes that are surely there go first, to all tracks; then those
with a low score, which are often the half-covered ones, to tracks that were there a moment ago. What is left of the
sure ones begins tracks, which get a number once they were seen often enough.

| a track is | and becomes                                                                              |
|------------|------------------------------------------------------------------------------------------|
| new        | followed after `hits` pictures in a row; gone when one of them does not show it          |
| followed   | hidden when a picture does not show it                                                   |
| hidden     | followed when it is seen where it should be by now; gone after `keep_s`, or when it should have left the picture by now |

Numbers count up from 1 and are never used again. Who left and comes back is somebody new: a box does not tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgeinfer.events import LONGEST_HIDDEN_S
from edgeinfer.tracking.matching import Indices, Reals, match, overlaps
from edgeinfer.tracking.motion import Motion

Share = Annotated[float, Meta(ge=0, le=1)]

_SURE, _HIDDEN, _NEW = 0.2, 0.5, 0.3
"""How much a box must overlap (in the first round: times its score) with where its track should be.

The defaults of ByteTrack's authors, as 1 - x: `match_thresh` 0.8, then 0.5 and 0.7 in the rounds behind it.
"""


class TrackOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a user may write as `track` of a pipeline."""

    score: Share = 0.5
    """From here on a box is surely there, and may begin a track."""
    low: Share = 0.1
    """From here on a box may go on with a track; the model has to give boxes as low as this."""
    hits: Annotated[int, Meta(ge=1, le=100)] = 2
    """So many pictures in a row make a track."""
    keep_s: Annotated[float, Meta(ge=0, le=LONGEST_HIDDEN_S)] = 1.0
    """So long a track that nobody sees is waited for."""
    apart: Share = 1.0
    """A box that overlaps more than this with one that is followed, or is surer, begins no track: it is the same thing."""

    def __post_init__(self) -> None:
        if self.low > self.score:
            raise ValueError(f"low: expected at most score ({self.score}), found {self.low}")


class Tracker:
    """The tracks of one stream of pictures."""

    __slots__ = ("_hits", "_motion", "_ns", "_numbers", "_options", "_seen_ns", "_used")

    def __init__(self, options: TrackOptions) -> None:
        self._options, self._used, self._ns = options, 0, -1
        self.forget()

    def forget(self) -> None:
        """All tracks end; numbers go on."""
        self._motion = Motion()
        self._numbers, self._hits, self._seen_ns = np.empty((3, 0), np.int64)  # number 0: a new one

    def __call__(self, mono_ns: int, boxes: Reals, scores: Reals) -> Sequence[int]:
        """The number of the track of each box; 0 for a box of none.

        Args:
            mono_ns: when the picture was taken; not after the one before is a clock that began anew: all ends.
            boxes: (n, 4) x0 y0 x1 y1, shares of the picture.
            scores: (n,) 0..1.
        """
        if mono_ns <= self._ns:
            self.forget()
        fresh = self._go_on(mono_ns)
        given = self._associate(boxes, scores, fresh)
        return self._numbered(given, boxes, scores)

    def _go_on(self, mono_ns: int) -> NDArray[np.bool_]:
        """To the moment of this picture; whom the picture before showed.

        Hidden ones go that were so for too long, or should have left the picture by now.
        """
        past_ns, self._ns = self._ns, mono_ns
        if not len(self._motion):
            return np.empty(0, bool)
        self._motion.predict((mono_ns - past_ns) / 1e9)
        fresh = self._seen_ns == past_ns
        centres = self._motion.centres
        there = ((centres >= 0) & (centres <= 1)).all(axis=1)
        keep = fresh | (there & (mono_ns - self._seen_ns <= self._options.keep_s * 1e9))
        self._keep(keep)
        still: NDArray[np.bool_] = fresh[keep]
        return still

    def _associate(self, boxes: Reals, scores: Reals, fresh: NDArray[np.bool_]) -> Indices:
        """The row of the track of each box; -1 for none."""
        given, free = np.full(len(boxes), -1), np.ones(len(self._motion), bool)
        if not (len(boxes) and len(free)):
            return given
        alike = overlaps(self._motion.boxes, boxes)

        def go(tracks: NDArray[np.bool_], which: NDArray[np.bool_], how: Reals, least: float) -> None:
            rows, columns = np.flatnonzero(tracks & free), np.flatnonzero(which & (given < 0))
            if rows.size and columns.size:
                r, c = match(how[rows[:, None], columns], least)
                given[columns[c]] = rows[r]
                free[rows[r]] = False

        sure, followed = scores >= self._options.score, self._numbers > 0
        go(followed, sure, alike * scores, _SURE)
        go(followed & fresh, ~sure & (scores >= self._options.low), alike, _HIDDEN)
        go(~followed, sure, alike, _NEW)
        return given

    def _numbered(self, given: Indices, boxes: Reals, scores: Reals) -> Sequence[int]:
        """What was found becomes the tracks' past; new tracks begin where nothing was known."""
        seen = given >= 0
        self._see(given[seen], boxes[seen])
        begins = ~seen & (scores >= self._options.score)
        if self._options.apart < 1 and begins.any():
            begins = self._alone(begins, seen, boxes, scores)
        if begins.any():
            given[begins] = np.arange(len(self._motion), len(self._motion) + begins.sum())
            self._begin(boxes[begins])
        for row in np.flatnonzero((self._numbers == 0) & (self._hits >= self._options.hits)):
            self._used += 1
            self._numbers[row] = self._used
        numbers: list[int] = np.append(self._numbers, 0)[given].tolist()  # -1 is the 0 behind them
        self._keep((self._numbers > 0) | (self._seen_ns == self._ns))
        return numbers

    def _alone(
        self, begins: NDArray[np.bool_], seen: NDArray[np.bool_], boxes: Reals, scores: Reals
    ) -> NDArray[np.bool_]:
        """Those of `begins` that lie on nobody else: a part that a model calls by two names is one part."""
        taken, alone = np.flatnonzero(seen).tolist(), np.zeros_like(begins)
        for n in sorted(np.flatnonzero(begins).tolist(), key=lambda n: (-scores[n], n)):
            if not taken or overlaps(boxes[[n]], boxes[taken]).max() <= self._options.apart:
                taken.append(n)
                alone[n] = True
        return alone

    def _see(self, rows: Indices, boxes: Reals) -> None:
        if rows.size:
            self._motion.correct(rows, boxes)
            self._hits[rows] += 1
            self._seen_ns[rows] = self._ns
        if rows.size < len(self._motion):
            self._motion.hold_size(np.flatnonzero(self._seen_ns < self._ns))

    def _begin(self, boxes: Reals) -> None:
        self._motion.add(boxes)
        new = len(boxes)
        self._numbers = np.append(self._numbers, np.zeros(new, np.int64))
        self._hits = np.append(self._hits, np.ones(new, np.int64))
        self._seen_ns = np.append(self._seen_ns, np.full(new, self._ns, np.int64))

    def _keep(self, which: NDArray[np.bool_]) -> None:
        if not which.all():
            self._motion.keep(which)
            self._numbers, self._hits = self._numbers[which], self._hits[which]
            self._seen_ns = self._seen_ns[which]
