"""The rule `drift`: does the model still see the world that its bundle's reference was made of? Not whether it is right.

Each measure of the reference (scores and shares of classes, values, brightness, sharpness, channels) has a histogram of
what was seen lately, over the bins of the reference. After `min_samples` looks the worst of those with as many samples speaks:

| worst statistic                    | speaks for                      |
|------------------------------------|---------------------------------|
| > `above`                          | on, after `for_s`               |
| < `below` (4/5 of `above` if none) | off, after `clear_s`            |
| in between, or too few samples yet | nothing: what pends is dropped  |

The histograms hold the last `window` samples of a measure at most, half of that at least: the older half is dropped
when the newer one is full. A lost source makes it `unknown` and empties them. Without a reference it is told `unknown`
once for each source, with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from edgeinfer.distributions import Shape, Statistic, measures_of, parted
from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Inference, Lost, Observation, State
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Seconds, hold_ns
from edgeinfer.rules.states import NOTHING, States
from edgeinfer.rules.values import plain

_NO_REFERENCE = "the bundle has no reference; make one: edgeinfer model reference NAME RECORDING"
_LOOKS = 20  # looks at the statistic while a window fills: finer costs more and shows nothing


class Drift:
    """`on` while a measure parts from the reference; details: `statistic`, the worst `measure`, `value`, `samples`."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds, `measures` empty: all that the reference has."""

        statistic: Statistic = "psi"
        above: Annotated[float, Meta(gt=0)] = 0.25
        below: Annotated[float, Meta(gt=0)] | None = None
        min_samples: Annotated[int, Meta(ge=20)] = 200
        window: Annotated[int, Meta(ge=40)] = 1000
        measures: tuple[str, ...] = ()
        for_s: Seconds = 0.0
        clear_s: Seconds = 0.0

    measures = True

    def __init__(self, options: Options, place: RulePlace) -> None:
        self._options, self._place = options, place
        self._below = _below(options)
        self._for_ns, self._clear_ns = hold_ns("for_s", options.for_s), hold_ns("clear_s", options.clear_s)
        self._shapes, self._why = _shapes(options, place)
        self._recent: dict[str, _Recent] = {}
        self._told_why: set[str] = set()
        self._states = States(place, self._details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        if isinstance(seen, Lost):
            self._recent.pop(seen.key[0], None)
        if not isinstance(seen, Inference):
            return self._states.meanwhile(seen)
        if not self._shapes:
            return self._say_why(seen)
        recent = self._recent.setdefault(seen.key[0], _Recent(self._shapes, self._options))
        if not recent.add(seen):
            return NOTHING
        worst = recent.worst()
        if worst is None:
            return NOTHING
        state = self._speaks_for(worst[1])
        return self._states.see(seen, state, self._for_ns if state == "on" else self._clear_ns, worst)

    def _speaks_for(self, value: float) -> State:
        if value > self._options.above:
            return "on"
        return "off" if value < self._below else "unknown"

    def _say_why(self, seen: Inference) -> Sequence[Decision]:
        source = seen.key[0]
        if source in self._told_why:
            return NOTHING
        self._told_why.add(source)
        details = {"reason": self._why}
        return (
            Decision(self._place.pipeline, self._place.rule, source, "unknown", seen.at, seen.key, details),
        )

    def _details(self, state: State, worst: tuple[str, float, int]) -> dict[str, Any]:
        del state
        name, value, samples = worst
        told = {"measure": name, "value": plain(value), "samples": samples}
        return {"statistic": self._options.statistic, **told}


class _Recent:
    """What one source showed lately."""

    def __init__(self, shapes: dict[str, Shape], options: Drift.Options) -> None:
        self._shapes, self._options = shapes, options
        self._older = {name: [0] * len(shape.counts) for name, shape in shapes.items()}
        self._newer = {name: [0] * len(shape.counts) for name, shape in shapes.items()}
        self._sizes = dict.fromkeys(shapes, 0)  # of the newer half
        self._every = max(1, min(options.min_samples, options.window) // _LOOKS)
        self._inferences = 0

    def add(self, seen: Inference) -> bool:
        """Whether it is time to look at the statistic."""
        for name, value in measures_of(seen):
            shape = self._shapes.get(name)
            if shape is None or (isinstance(value, float) and not math.isfinite(value)):
                continue
            if self._sizes[name] >= self._options.window // 2:
                self._older[name], self._newer[name] = self._newer[name], [0] * len(shape.counts)
                self._sizes[name] = 0
            self._newer[name][shape.bin_of(value)] += 1
            self._sizes[name] += 1
        self._inferences += 1
        return self._inferences % self._every == 0

    def worst(self) -> tuple[str, float, int] | None:
        """(measure, statistic, samples); None while too few were seen of any."""
        if (
            self._inferences < self._options.min_samples
        ):  # scores come several at a look: they must not speak for the rest
            return None
        found = []
        for name, shape in self._shapes.items():
            counts = [a + b for a, b in zip(self._older[name], self._newer[name], strict=True)]
            if (samples := sum(counts)) >= self._options.min_samples:
                found.append((name, parted(self._options.statistic, shape.counts, counts), samples))
        return max(found, key=lambda f: f[1], default=None)


def _below(options: Drift.Options) -> float:
    if options.statistic == "js" and options.above >= 1:
        raise InputError(f"above: expected less than 1 (js is 0 to 1), found {options.above}")
    if not 2 * options.min_samples <= options.window:
        text = f"expected at least twice min_samples ({options.min_samples}), found {options.window}"
        raise InputError(f"window: {text}: half of it may be all there is")
    below = 0.8 * options.above if options.below is None else options.below
    if not below <= options.above < math.inf:
        raise InputError(f"below: expected at most above ({options.above}), found {below}")
    return below


def _shapes(options: Drift.Options, place: RulePlace) -> tuple[dict[str, Shape], str]:
    """The measures that are watched, or why there are none."""
    if place.reference is None:
        return {}, _NO_REFERENCE
    known = place.reference.measures
    missing = [name for name in options.measures if name not in known]
    if missing or not known:
        return (
            {},
            f"the bundle's reference has no {missing[0] if missing else 'measure'!s} (it has: {', '.join(known) or 'nothing'})",
        )
    return {name: known[name] for name in options.measures or known}, ""
