"""Gives findings the number of their track, for each source by itself; the following is done by `tracker`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from edgeinfer.events import Finding, Inference, Score, Value, box_of
from edgeinfer.tracking.tracker import Tracker, TrackOptions


class Identities:
    """What was seen, with `track` filled in; see `ports.Identifier`.

    A finding without a place (a score, a value) and one that belongs to no track keep None. Of which label a finding
    is does not matter: a part that is taken for a good one now and then is the same part.
    """

    def __init__(self, options: TrackOptions) -> None:
        self._options = options
        self._trackers: dict[str, tuple[str, Tracker]] = {}

    def name(self, seen: Inference) -> Inference:
        tracker = self._tracker(seen.key[0], seen.at.boot)
        placed = [(n, box) for n, f in enumerate(seen.findings) if (box := box_of(f)) is not None]
        boxes = np.array([box for _, box in placed], np.float64).reshape(-1, 4)
        scores = np.array([_score(seen.findings[n]) for n, _ in placed], np.float64)
        numbers = tracker(seen.at.mono_ns, boxes, scores)
        findings = list(seen.findings)
        for (n, _), number in zip(placed, numbers, strict=True):
            if number:
                findings[n] = replace(findings[n], track=number)
        return replace(seen, findings=tuple(findings))

    def forget(self, source: str) -> None:
        if source in self._trackers:
            self._trackers[source][1].forget()

    def _tracker(self, source: str, boot: str) -> Tracker:
        known = self._trackers.get(source)
        if known is None:
            known = (boot, Tracker(self._options))
        elif known[0] != boot:  # another boot has another clock: nothing is known of what it did meanwhile
            known[1].forget()
        self._trackers[source] = (boot, known[1])
        return known[1]


def _score(finding: Finding) -> float:
    return 0.0 if isinstance(finding, (Score, Value)) else finding.score
