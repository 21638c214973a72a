"""The rule `presence`: is such a thing there? Not how many, and not where it goes.

| state   | becomes                                                                                        |
|---------|------------------------------------------------------------------------------------------------|
| unknown | `on` when each inference of `for_s` has seen it; `off` when none of `clear_s` has seen it         |
| off     | `on` when each inference of `for_s` has seen it; `unknown` when the source is lost               |
| on      | `off` when none of `clear_s` has seen it; `unknown` when the source is lost                      |

`for_s` runs from the first inference that sees it, `clear_s` from the first that does not. An inference that
says otherwise starts over; ticks let time go by, and what was seen last is taken to hold meanwhile (see `states`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Finding, Inference, Observation, State, Value, box_of
from edgeinfer.geometry import Point
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Seconds, Share, hold_ns, labels_of
from edgeinfer.rules.select import Anchor, Selection
from edgeinfer.rules.states import States


class Presence:
    """`on` while a finding of the label is seen in the zone; details: label, score, box of the best, and how many."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds, places normalised."""

        label: str | tuple[str, ...]
        score: Share = 0.5
        zone: tuple[Point, ...] = ()  # empty: the whole picture
        anchor: Anchor = "centre"
        for_s: Seconds = 0.0
        clear_s: Seconds = 0.0

    one_look = True

    def __init__(self, options: Options, place: RulePlace) -> None:
        self.labels = labels_of("label", options.label)
        if not self.labels:
            raise InputError("label: expected at least one label, found an empty list")
        self._selection = Selection(self.labels, options.score, options.zone, options.anchor)
        self._for_ns = hold_ns("for_s", options.for_s)
        self._clear_ns = hold_ns("clear_s", options.clear_s)
        self._states = States(place, _details)

    def observe(self, seen: Observation) -> tuple[Decision, ...]:
        if not isinstance(seen, Inference):
            return self._states.meanwhile(seen)
        found = self._selection.of(seen.findings)
        if found:
            return self._states.see(seen, "on", self._for_ns, found)
        return self._states.see(seen, "off", self._clear_ns, found)


def _details(state: State, found: list[Finding]) -> dict[str, Any]:
    """Of the best of `found`; nothing when there is none. Four decimals: finer than any detector knows."""
    if state != "on":
        return {}
    best = max(found, key=lambda f: 0.0 if isinstance(f, Value) else f.score)
    details: dict[str, Any] = {"label": best.label, "score": round(getattr(best, "score", 0.0), 4)}
    box = box_of(best)
    if box is not None:
        details["box"] = [round(v, 4) for v in box]
    return details | {"count": len(found)}
