"""The rule `rate`: how many come a minute? Of identities, or of what another rule tells; which of them is which is not told.

The state is a number: what came in the last `window_s` seconds that were observed, a minute, to a tenth.

| state   | becomes                                                                                                    |
|---------|------------------------------------------------------------------------------------------------------------|
| unknown | the rate, once `window_s` seconds were observed                                                            |
| n       | another rate, looked at each `every_s` observed seconds; `unknown` when the source is lost                 |

Observed is the time from look to look and tick to tick, as long as the source is not lost: a gap is cut out, neither
counted as empty nor guessed, and the window goes on behind it. After a gap that is longer than the window, and after
another boot, the window begins anew. An identity counts at its first look (in the zone, if there is one); of another
rule (`rule`), each time that it is told `on`, or by how much its number grew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Inference, Instant, Lost, Observation, State, Tick, Trigger
from edgeinfer.geometry import Point
from edgeinfer.ports import RulePlace
from edgeinfer.rules.checks import Share, labels_of
from edgeinfer.rules.followed import Followed
from edgeinfer.rules.inputs import Happenings
from edgeinfer.rules.select import Anchor, Selection
from edgeinfer.rules.states import NOTHING, States

Window = Annotated[float, Meta(gt=0, le=86_400)]


class Rate:
    """What comes a minute; details: how many came in the window, and its seconds."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds, places normalised."""

        rule: str = ""  # another rule, whose decisions are counted, instead of identities
        labels: str | tuple[str, ...] = ()  # empty: of any label
        score: Share = 0.0  # what a track is made of is the tracker's matter
        zone: tuple[Point, ...] = ()  # empty: the whole picture
        anchor: Anchor = "centre"
        window_s: Window = 60.0
        every_s: Window = 10.0

    states = "number"

    def __init__(self, options: Options, place: RulePlace) -> None:
        self.labels = labels_of("labels", options.labels)
        if options.rule and (self.labels or options.zone):
            raise InputError("rule: goes without labels and zone: the other rule has chosen already")
        self._other = Happenings("rule", options.rule or "none")
        self.inputs = (self._other.name,) if options.rule else ()
        self.tracks = not options.rule
        self._selection = Selection(self.labels, options.score, options.zone, options.anchor)
        self._window_ns, self._every_ns = round(options.window_s * 1e9), round(options.every_s * 1e9)
        self._flows: dict[str, _Flow] = {}
        self._states = States(place, _details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        subject = seen.subject if isinstance(seen, Decision) else seen.key[0]
        if isinstance(seen, Lost):
            return self._lost(seen, subject, seen.reason)
        if isinstance(seen, Decision) and self._is_input(seen) and seen.state == "unknown":
            self._other.happened(seen)
            return self._lost(seen, subject, f"{seen.rule} is unknown")
        came = self._came(seen, subject)
        if came is None:
            return NOTHING
        flow = self._flow(subject)
        if flow.paused and isinstance(seen, (Tick, Trigger)):
            return NOTHING  # time goes by, but nobody looks
        told = flow.go_on(seen.at, self._window_ns, self._every_ns)
        flow.arrive(came)
        if not (told or (flow.now_ns >= self._window_ns and self._states.told(subject) == "unknown")):
            return NOTHING
        return self._states.see(seen, flow.rate(self._window_ns), 0, flow.count, subject=subject)

    def _flow(self, subject: str) -> _Flow:
        flow = self._flows.get(subject)
        if flow is None:
            flow = self._flows[subject] = _Flow()
        return flow

    def _came(self, seen: Observation, subject: str) -> int | None:
        """How many came; None for what is no look and no time."""
        if isinstance(seen, (Tick, Trigger)):
            return 0
        if self.inputs:
            return self._other.happened(seen) if isinstance(seen, Decision) and self._is_input(seen) else None
        if not isinstance(seen, Inference):
            return None
        met = self._flow(subject).met
        met.look(seen.at)
        came = 0
        for finding in self._selection.of(seen.findings):
            if finding.track is not None:
                came += finding.track not in met.known
                met.put(finding.track, None, seen.at)
        return came

    def _is_input(self, seen: Observation) -> bool:
        return isinstance(seen, Decision) and seen.rule in self.inputs

    def _lost(self, seen: Observation, subject: str, reason: str) -> Sequence[Decision]:
        """The other rule's pipeline, or the source: from here on nothing is observed."""
        gone = list(self._flows) if subject.startswith("rule:") else [subject]
        told: list[Decision] = []
        for one in gone:
            if one in self._flows:
                self._flows[one].pause(seen.at)
                told += self._states.lose(seen.key, seen.at, reason, one)
        return told


class _Flow:
    """Arrivals of one subject on a clock that stands while nothing is observed."""

    __slots__ = ("_arrivals", "_boot", "_count", "_last_ns", "_told_ns", "met", "now_ns", "paused")

    def __init__(self) -> None:
        self.met: Followed[None] = Followed()
        self._last_ns, self._boot, self.paused = 0, "", True
        self._begin()

    def _begin(self) -> None:
        self.now_ns, self._told_ns, self._count = 0, 0, 0
        self._arrivals: deque[tuple[int, int]] = deque()

    def go_on(self, at: Instant, window_ns: int, every_ns: int) -> bool:
        """To the moment `at`; whether it is time to tell."""
        gone_ns = at.mono_ns - self._last_ns
        if at.boot != self._boot or (self.paused and gone_ns > window_ns):
            self._begin()
        elif not self.paused:
            self.now_ns += max(gone_ns, 0)
        self._boot, self.paused = at.boot, False
        self._last_ns = at.mono_ns
        while self._arrivals and self._arrivals[0][0] <= self.now_ns - window_ns:
            self._count -= self._arrivals.popleft()[1]
        due = self.now_ns >= window_ns and self.now_ns - self._told_ns >= every_ns
        if due:
            self._told_ns = self.now_ns
        return due

    def arrive(self, n: int) -> None:
        if n:
            self._arrivals.append((self.now_ns, n))
            self._count += n

    def pause(self, at: Instant) -> None:
        self.paused, self._last_ns = True, at.mono_ns
        self.met.forget()

    def rate(self, window_ns: int) -> float:
        return round(self._count * 60e9 / window_ns, 1)

    @property
    def count(self) -> int:
        return self._count


def _details(state: State, count: int) -> dict[str, Any]:
    del state
    return {"count": count}
