"""The rule `drift`: does what comes still look like what the model was made for? Not whether a decision is wrong.

It compares running histograms of scores, of which labels are found, of channels and values (brightness and sharpness, where the
pipeline measures them) with the reference in the bundle of its pipeline's model (`edgeinfer model reference`). `psi` or
`jensen_shannon` says how far each is from it; the farthest counts.

| state   | farthest > on_above for `for_s` | farthest < off_below for `clear_s` | in between | fewer than `memory` values yet |
|---------|---------------------------------|------------------------------------|------------|--------------------------------|
| unknown | on                              | off                                | unknown    | unknown                        |
| off     | on                              | off                                | off        | as it was                      |
| on      | on                              | off                                | on         | as it was                      |

A lost source makes it `unknown`; what was counted before stays, since a short loss changes nothing about the light.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Inference, Observation, Readings, State
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Seconds, hold_ns
from edgeinfer.rules.distributions import Fading, Reference, jensen_shannon, measured, psi
from edgeinfer.rules.states import NOTHING, States
from edgeinfer.rules.values import plain

_DISTANCE = {"psi": psi, "jensen_shannon": jensen_shannon}
_BOUNDS = {"psi": (0.25, 0.1), "jensen_shannon": (0.1, 0.05)}
_EVERY = (
    25  # looks between two comparisons: what takes hundreds of values to change is not asked about at each
)


class Drift:
    """`on` while what comes has parted from the reference; details: the measure, how far, and from what."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write."""

        measures: tuple[str, ...] = ()  # "score:LABEL", "share", "value:NAME"; none: all of the reference
        method: Literal["psi", "jensen_shannon"] = "psi"
        on_above: Annotated[float, Meta(gt=0)] | None = None  # psi 0.25, jensen_shannon 0.1
        off_below: Annotated[float, Meta(gt=0)] | None = None  # psi 0.1, jensen_shannon 0.05
        memory: Annotated[int, Meta(ge=50, le=1_000_000)] = 500
        for_s: Seconds = 0.0
        clear_s: Seconds = 0.0

    compares = True

    def __init__(self, options: Options, place: RulePlace) -> None:
        usual = _reference(place)
        names = options.measures or tuple(usual.measures)
        if (
            not usual.measures
        ):  # where it is only tried out nobody has one; who puts the parts together asks for it
            names = ()
        if missing := [name for name in names if name not in usual.measures]:
            known = ", ".join(usual.measures)
            raise InputError(f"measures: the reference of the model has no {missing[0]!r}; it has: {known}")
        on, off = _BOUNDS[options.method]
        self._on = on if options.on_above is None else options.on_above
        self._off = min(off, self._on) if options.off_below is None else options.off_below
        if self._off > self._on:
            raise InputError(f"off_below: expected at most on_above ({self._on}), found {self._off}")
        self._usual = {name: usual.measures[name] for name in names}
        self._memory, self._distance, self._method = options.memory, _DISTANCE[options.method], options.method
        self._for_ns = hold_ns("for_s", options.for_s)
        self._clear_ns = hold_ns("clear_s", options.clear_s)
        self._now: dict[str, dict[str, Fading]] = {}  # source → measure → what comes
        self._looks: dict[str, int] = {}
        self._states = States(place, self._details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        if not isinstance(seen, Inference | Readings):
            return self._states.meanwhile(seen)
        source = seen.key[0]
        now = self._now.setdefault(source, {n: Fading(h, self._memory) for n, h in self._usual.items()})
        for name, value in measured(seen):
            if name in now:
                now[name].add(value)
        self._looks[source] = self._looks.get(source, 0) + 1
        if self._looks[source] % _EVERY:
            return self._states.wait(seen.key, seen.at, source)
        return self._judge(seen, now)

    def _judge(self, seen: Inference | Readings, now: dict[str, Fading]) -> Sequence[Decision]:
        ripe = {n: self._apart(n, one) for n, one in now.items() if one.count >= self._memory}
        if not ripe:
            return NOTHING
        farthest = max(ripe, key=lambda name: ripe[name])
        state: State = "unknown"
        if ripe[farthest] > self._on:
            state = "on"
        elif ripe[farthest] < self._off:
            state = "off"
        hold = self._for_ns if state == "on" else self._clear_ns
        return self._states.see(seen, state, hold, (farthest, ripe[farthest]))

    def _apart(self, name: str, now: Fading) -> float:
        return self._distance(self._usual[name].shares, now.shares())

    def _details(self, state: State, evidence: tuple[str, float]) -> dict[str, Any]:
        del state
        measure, distance = evidence
        return {"measure": measure, "value": plain(distance), "method": self._method}


def _reference(place: RulePlace) -> Reference:
    raw = place.reference()
    if raw is None:
        return Reference({})
    try:
        return msgspec.json.decode(raw, type=Reference)
    except msgspec.DecodeError as error:
        raise InputError(f"kind: the reference.json of the bundle cannot be used: {error}") from error
