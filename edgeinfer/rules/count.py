"""The rule `count`: how many are there? The state is a number; which of them is which is not followed.

| state   | becomes                                                                                            |
|---------|----------------------------------------------------------------------------------------------------|
| unknown | the number that each inference of `for_s` has seen                                                 |
| n       | another number that each inference of `for_s` has seen; `unknown` when the source is lost          |

A number that changes within `for_s` starts over (3, 4, 3 tells nothing). Only the sum is the state: when one label
gives way to another and the sum stays, nothing is told.
"""

from __future__ import annotations

from typing import Any

import msgspec

from edgeinfer.events import Decision, Finding, Inference, Observation, State
from edgeinfer.geometry import Point
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Seconds, Share, hold_ns, labels_of
from edgeinfer.rules.select import Anchor, Selection
from edgeinfer.rules.states import States


class Count:
    """The number of findings in the zone; details: `counts`, how many of each label."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds, places normalised."""

        labels: str | tuple[str, ...] = ()  # empty: of any label
        score: Share = 0.5
        zone: tuple[Point, ...] = ()  # empty: the whole picture
        anchor: Anchor = "centre"
        for_s: Seconds = 0.0

    states = "number"
    one_look = True

    def __init__(self, options: Options, place: RulePlace) -> None:
        self.labels = labels_of("labels", options.labels)
        self._selection = Selection(self.labels, options.score, options.zone, options.anchor)
        self._for_ns = hold_ns("for_s", options.for_s)
        self._states = States(place, self._details)

    def observe(self, seen: Observation) -> tuple[Decision, ...]:
        if not isinstance(seen, Inference):
            return self._states.meanwhile(seen)
        found = self._selection.of(seen.findings)
        return self._states.see(seen, len(found), self._for_ns, found)

    def _details(self, state: State, found: list[Finding]) -> dict[str, Any]:
        del state
        counts = dict.fromkeys(self.labels, 0)  # a label that is asked for is told even when there is none
        for finding in sorted(found, key=lambda f: f.label):
            counts[finding.label] = counts.get(finding.label, 0) + 1
        return {"counts": counts}
