"""The rule `change`: has a value left its usual course? Slow drifts too, that no bound sees; not whether that is bad.

What is usual, `mean` and `sigma`, is learned from the first `learn` values (Welford 1962), or given. Then one statistic
says how far the values are from it, in sigmas:

- `cusum` (Page 1954): what exceeds `slack` is summed up, for each direction by itself, never below 0 and never above
  twice `alarm`, so that an end is seen too. `slack` 0.5 and `alarm` 5 find a shift of one sigma after about 10 values,
  and give a false alarm in about 465 (Montgomery, Introduction to Statistical Quality Control, 9.1).
- `ewma` (Roberts 1959): the distance of a running mean of `weight`, in its own sigmas; `alarm` 3 and `weight` 0.2 are
  usual.

| state   | becomes                                                                                               |
|---------|-------------------------------------------------------------------------------------------------------|
| unknown | while it learns, nothing; then `on` or `off` by the table's other rows, with the next value             |
| off     | `on` when the statistic exceeds `alarm`                                                               |
| on      | `off` when the statistic is at most half of `alarm`                                                    |

A lost source makes it `unknown`, and so does a value that is not a number; what is usual stays known, the statistic
starts at 0. After a gap in the readings the statistic starts at 0 as well. It is not for values that jump by nature.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Inference, Instant, Lost, Observation, Readings, State
from edgeinfer.ports import RulePlace
from edgeinfer.rules.states import NOTHING, States
from edgeinfer.rules.values import Named, plain

Positive = Annotated[float, Meta(gt=0)]

_ALARM = {"cusum": 5.0, "ewma": 3.0}
_LEAST = 1e-9  # of the mean: a value that never moved while it was learned has no sigma


class Change:
    """`on` while the value is off its course; details: name, value, direction, statistic, and what was usual."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; slack and alarm are in sigmas."""

        value: str
        method: Literal["cusum", "ewma"] = "cusum"
        learn: Annotated[int, Meta(ge=2, le=1_000_000)] = 100
        mean: float | None = None  # with sigma: nothing is learned
        sigma: Positive | None = None
        slack: Annotated[float, Meta(ge=0)] = 0.5
        weight: Annotated[float, Meta(gt=0, le=1)] = 0.2
        alarm: Positive | None = None  # 5 for cusum, 3 for ewma

    def __init__(self, options: Options, place: RulePlace) -> None:
        self._values = Named("value", options.value)
        self.labels = (options.value,)  # what a model has to be able to say
        self._options = options
        for key in ("mean", "sigma", "slack", "alarm"):
            if (given := getattr(options, key)) is not None and not math.isfinite(given):
                raise InputError(f"{key}: expected a number, found {given}")
        self._alarm = options.alarm or _ALARM[options.method]
        self._courses: dict[str, _Course] = {}
        self._states = States(place, self._details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        if isinstance(seen, Readings):
            return self._block(seen)
        if isinstance(seen, Inference):
            value = self._values.in_findings(seen)
            return NOTHING if value is None else self._value(self._course(seen), seen, value, seen.at)
        if isinstance(seen, Lost) and seen.key[0] in self._courses:
            self._courses[seen.key[0]].restart()
        return self._states.meanwhile(seen)

    def _block(self, seen: Readings) -> Sequence[Decision]:
        column = self._values.in_readings(seen)
        if column is None:
            return NOTHING
        course = self._course(seen)
        if seen.gap_before:
            course.restart()
        told: list[Decision] = []
        for row, value in enumerate(column.tolist()):
            told += self._value(course, seen, value, seen.at.later(row * seen.period_ns) if row else seen.at)
        return told

    def _course(self, seen: Observation) -> _Course:
        course = self._courses.get(seen.key[0])
        if course is None:
            course = self._courses[seen.key[0]] = _Course(self._options)
        return course

    def _value(
        self, course: _Course, seen: Inference | Readings, value: float, at: Instant
    ) -> tuple[Decision, ...]:
        if math.isnan(value):
            course.restart()
            return self._states.lose(seen.key, at, f"{self._values.name} is not a number")
        if not course.known:
            course.learn(value)
            return NOTHING
        far = abs(course.add(value))
        told = self._states.told(seen.key[0])
        if far > self._alarm or (told == "on" and far > self._alarm / 2):
            return NOTHING if told == "on" else self._states.see(seen, "on", 0, (value, course), at)
        return NOTHING if told == "off" else self._states.see(seen, "off", 0, (value, course), at)

    def _details(self, state: State, evidence: tuple[float, _Course]) -> dict[str, Any]:
        value, course = evidence
        found: dict[str, Any] = {"name": self._values.name, "value": plain(value)}
        if state == "on":
            found["direction"] = "up" if course.far > 0 else "down"
        return found | {
            "statistic": plain(abs(course.far)),
            "mean": plain(course.mean),
            "sigma": plain(course.sigma),
        }


@dataclass(slots=True)
class _Course:
    """What is usual of one source, and how far off the values are; `far` is signed, in sigmas."""

    options: Change.Options
    mean: float = 0.0
    sigma: float = 0.0
    known: bool = False
    far: float = 0.0
    _n: int = 0
    _squares: float = 0.0
    _up: float = 0.0
    _down: float = 0.0

    def __post_init__(self) -> None:
        options = self.options
        if options.mean is not None and options.sigma is not None:
            self.mean, self.sigma, self.known = options.mean, options.sigma, True

    def learn(self, value: float) -> None:
        if math.isinf(value):
            return
        self._n += 1
        off = value - self.mean
        self.mean += off / self._n
        self._squares += off * (value - self.mean)
        if self._n < self.options.learn:
            return
        spread = math.sqrt(self._squares / (self._n - 1))
        self.mean = self.mean if self.options.mean is None else self.options.mean
        self.sigma = self.options.sigma or max(spread, _LEAST * max(abs(self.mean), 1.0))
        self.known = True

    def restart(self) -> None:
        self.far = self._up = self._down = 0.0

    def add(self, value: float) -> float:
        z = (value - self.mean) / self.sigma
        options = self.options
        if options.method == "ewma":
            own_sigma = math.sqrt(options.weight / (2 - options.weight))
            most = 2 * (options.alarm or _ALARM["ewma"])
            far = self.far + options.weight * (z / own_sigma - self.far)
            self.far = min(max(far, -most), most)
        else:
            most = 2 * (options.alarm or _ALARM["cusum"])
            self._up = min(max(self._up + z - options.slack, 0.0), most)
            self._down = min(max(self._down - z - options.slack, 0.0), most)
            self.far = self._up if self._up >= self._down else -self._down
        return self.far
