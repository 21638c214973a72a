"""The rule `threshold`: is a value too high (or too low)? With hysteresis; not whether it is unusual.

With `on_above` and `off_below` (at most `on_above`, and equal to it when left out):

| state   | value > on_above for `for_s` | value < off_below for `clear_s` | in between            | not a number |
|---------|------------------------------|---------------------------------|-----------------------|--------------|
| unknown | on                           | off                             | unknown               | unknown      |
| off     | on                           | off                             | off, `for_s` restarts | unknown      |
| on      | on                           | off                             | on, `clear_s` restarts | unknown      |

`on_below` and `off_above` are the same, mirrored. A lost source makes it `unknown`. Unknown in between is meant: what
it would be depends on a past that nobody has seen. A NaN is told at once as `unknown` (the sensor says that it does
not know). A block with `gap_before` starts the holding times over. Infinity is a number: beyond any bound.

`value` names a channel of readings, or the label of a score or value that a model gives. A classifier that gives
scores but leaves this label out says that it is low: 0. A value that is not read off says nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Inference, Observation, Readings, State
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Seconds, hold_ns
from edgeinfer.rules.states import NOTHING, States
from edgeinfer.rules.values import Named, plain


class Threshold:
    """`on` while the value is beyond the bound; details: name and value."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds, places normalised."""

        value: str
        on_above: float | None = None
        off_below: float | None = None
        on_below: float | None = None
        off_above: float | None = None
        for_s: Seconds = 0.0
        clear_s: Seconds = 0.0

    one_look = True

    def __init__(self, options: Options, place: RulePlace) -> None:
        self._values = Named("value", options.value)
        self._value = options.value
        self.labels = (options.value,)  # what a model has to be able to say
        self._sign, self._on, self._off = _bounds(options)
        self._for_ns = hold_ns("for_s", options.for_s)
        self._clear_ns = hold_ns("clear_s", options.clear_s)
        self._states = States(place, self._details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        if isinstance(seen, Readings):
            return self._observe_block(seen)
        if not isinstance(seen, Inference):
            return self._states.meanwhile(seen)
        value = self._values.in_findings(seen)
        return NOTHING if value is None else self._observe_value(seen, value, 0)

    def _observe_block(self, seen: Readings) -> Sequence[Decision]:
        column = self._values.in_readings(seen)
        if column is None:
            return NOTHING
        if seen.gap_before:
            self._states.restart(seen.key[0])
        if len(column) > 1 and self._nothing_new(seen.key[0], float(column.min()), float(column.max())):
            column = column[-1:]  # all rows say the state that was told: one of them is enough
        decisions: list[Decision] = []
        for row, value in enumerate(column.tolist()):
            decisions += self._observe_value(seen, value, row * seen.period_ns)
        return decisions

    def _nothing_new(self, subject: str, low: float, high: float) -> bool:
        """NaN among the rows makes both NaN, which speaks for nothing."""
        told = self._states.told(subject)
        return told != "unknown" and self._speaks_for(low) == told == self._speaks_for(high)

    def _observe_value(self, seen: Inference | Readings, value: float, later_ns: int) -> tuple[Decision, ...]:
        at = seen.at.later(later_ns) if later_ns else seen.at
        if math.isnan(value):
            return self._states.lose(seen.key, at, f"{self._value} is not a number")
        state = self._speaks_for(value)
        return self._states.see(seen, state, self._for_ns if state == "on" else self._clear_ns, value, at)

    def _speaks_for(self, value: float) -> State:
        """`unknown` for values in between."""
        signed = self._sign * value
        if signed > self._on:
            return "on"
        return "off" if signed < self._off else "unknown"

    def _details(self, state: State, value: float) -> dict[str, Any]:
        del state
        return {"name": self._value, "value": plain(value)}


def _bounds(options: Threshold.Options) -> tuple[float, float, float]:
    """(sign, on, off): on when sign · value > on, off when sign · value < off."""
    above, below = options.on_above is not None, options.on_below is not None
    if above == below:
        raise InputError(
            f"on_{'above' if above else 'below'}: expected either on_above or on_below, found {'both' if above else 'neither'}"
        )
    on_key, off_key, wrong_key = (
        ("on_above", "off_below", "off_above") if above else ("on_below", "off_above", "off_below")
    )
    if getattr(options, wrong_key) is not None:
        raise InputError(f"{wrong_key}: does not go with {on_key}; expected {off_key}")
    on: float = getattr(options, on_key)
    off: float = on if getattr(options, off_key) is None else getattr(options, off_key)
    for key, bound in ((on_key, on), (off_key, off)):
        if not math.isfinite(bound):
            raise InputError(f"{key}: expected a number, found {bound}")
    sign = 1.0 if above else -1.0
    if sign * off > sign * on:
        side = "at most" if above else "at least"
        raise InputError(
            f"{off_key}: expected {side} {on_key} ({on}), found {off}: it would be on and off at once"
        )
    return sign, sign * on, sign * off
