"""The rule `absence`: has nothing come for too long (the machine stands)? Not whether the source still works: that is Lost.

| state   | becomes                                                                                                  |
|---------|----------------------------------------------------------------------------------------------------------|
| unknown | `off` at once when something is seen; `on` when no look of `for_s` has seen anything                     |
| off     | `on` when no look of `for_s` has seen anything; `unknown` when the source is lost                        |
| on      | `off` at once when something is seen; `unknown` when the source is lost                                  |

With `new`, only an identity that was not seen before is something: a part that lies still on a belt that stands does
not count as life. `for_s` runs from the first look without; ticks let it run out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Finding, Inference, Lost, Observation, State
from edgeinfer.geometry import Point
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Seconds, Share, hold_ns, labels_of
from edgeinfer.rules.followed import Followed
from edgeinfer.rules.select import Anchor, Selection
from edgeinfer.rules.states import States


class Absence:
    """`on` when nothing has come for `for_s`; details of `off`: label (and track) of what came."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds, places normalised."""

        for_s: Seconds
        labels: str | tuple[str, ...] = ()  # empty: of any label
        score: Share = 0.5
        zone: tuple[Point, ...] = ()  # empty: the whole picture
        anchor: Anchor = "centre"
        new: bool = False

    def __init__(self, options: Options, place: RulePlace) -> None:
        self.labels = labels_of("labels", options.labels)
        self.tracks = options.new
        self._for_ns = hold_ns("for_s", options.for_s)
        if not self._for_ns:
            raise InputError(
                "for_s: expected seconds, more than 0: between two parts there is always nothing"
            )
        self._selection = Selection(self.labels, options.score, options.zone, options.anchor)
        self._met: dict[str, Followed[None]] = {}
        self._states = States(place, _details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        if not isinstance(seen, Inference):
            if isinstance(seen, Lost) and seen.key[0] in self._met:
                self._met[seen.key[0]].forget()
            return self._states.meanwhile(seen)
        found = self._selection.of(seen.findings)
        if self.tracks:
            found = self._new(seen, found)
        if found:
            return self._states.see(seen, "off", 0, found[0])
        return self._states.see(seen, "on", self._for_ns, None)

    def _new(self, seen: Inference, found: list[Finding]) -> list[Finding]:
        met = self._met.setdefault(seen.key[0], Followed())
        met.look(seen.at)
        new = [f for f in found if f.track is not None and f.track not in met.known]
        for finding in found:
            if finding.track is not None:
                met.put(finding.track, None, seen.at)
        return new


def _details(state: State, came: Finding | None) -> dict[str, Any]:
    del state
    if came is None:
        return {}
    return {"label": came.label} | ({} if came.track is None else {"track": came.track})
