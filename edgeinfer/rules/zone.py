"""The rule `zone`: who is inside, who came, who left, who stays too long? Of identities; who is who is the tracker's matter.

Each identity is out or in:

| identity | becomes                                                                                               |
|----------|-------------------------------------------------------------------------------------------------------|
| out      | in, when each look of `for_s` has seen it inside                                                      |
| in       | out, when each look of `clear_s` has not seen it inside (elsewhere, or not at all); forgotten when the source is lost |

What of it is told is the rule's state, by `tell`:

| `tell`      | state                                                      | changes                                     |
|-------------|------------------------------------------------------------|---------------------------------------------|
| `occupancy` | how many are in                                            | with each look that changes it              |
| `entered`   | how many came in since the pipeline began                  | by one for each; who is in at the first look came in |
| `left`      | how many went out since the pipeline began                 | by one for each; who is in when the source is lost did not leave |
| `dwell`     | `on` while somebody is in for `dwell_s` or longer, or `off` | ticks let the time run out                  |

All are `unknown` before the first look and when the source is lost. Stays are counted from the first look inside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Inference, Lost, Observation, State, Tick, Trigger
from edgeinfer.geometry import Point
from edgeinfer.ports import RulePlace, StateKind
from edgeinfer.rules.checks import Seconds, Share, hold_ns, labels_of
from edgeinfer.rules.select import Anchor, Selection
from edgeinfer.rules.states import NOTHING, States

Tell = Literal["occupancy", "entered", "left", "dwell"]


@dataclass(slots=True)
class _Guest:
    """One identity: whether the last look saw it inside (`there`, since `edge_ns`), and whether that is settled (`inside`)."""

    track: int
    label: str
    edge_ns: int
    there: bool = True
    inside: bool = False
    since_ns: int = 0


class _Room:
    """The guests of one source, and how many came and went."""

    __slots__ = ("boot", "came", "guests", "went")

    def __init__(self) -> None:
        self.guests: dict[int, _Guest] = {}
        self.boot, self.came, self.went = "", 0, 0


class Zone:
    """What happens in a zone; details: label and track, and for how many seconds."""

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write; times in seconds, places normalised."""

        zone: tuple[Point, ...]
        tell: Tell = "occupancy"
        labels: str | tuple[str, ...] = ()  # empty: of any label
        score: Share = 0.0  # what a track is made of is the tracker's matter
        anchor: Anchor = "centre"
        for_s: Seconds = 0.0
        clear_s: Seconds = 0.5  # one look that misses somebody is no leaving
        dwell_s: Seconds = 0.0

    tracks = True

    def __init__(self, options: Options, place: RulePlace) -> None:
        if not options.zone:
            raise InputError("zone: a polygon has at least 3 corners, found none")
        if (options.tell == "dwell") != (options.dwell_s > 0):
            raise InputError('dwell_s: goes with tell = "dwell", which needs it: seconds, more than 0')
        self.labels = labels_of("labels", options.labels)
        self.states: StateKind = "binary" if options.tell == "dwell" else "number"
        self._tell = options.tell
        self._selection = Selection(self.labels, options.score, options.zone, options.anchor)
        self._for_ns, self._clear_ns = hold_ns("for_s", options.for_s), hold_ns("clear_s", options.clear_s)
        self._dwell_ns = hold_ns("dwell_s", options.dwell_s)
        self._rooms: dict[str, _Room] = {}
        self._states = States(place, _details)

    def observe(self, seen: Observation) -> Sequence[Decision]:
        subject = seen.key[0]
        room = self._rooms.get(subject)
        if isinstance(seen, Inference):
            room = room or self._rooms.setdefault(subject, _Room())
            self._look(room, seen)
            return self._judge(room, seen)
        if room is None:
            return NOTHING
        if isinstance(seen, (Tick, Trigger)) and self._states.told(subject) != "unknown":
            return self._judge(room, seen) if room.boot == seen.at.boot else NOTHING
        if isinstance(seen, Lost):
            room.guests.clear()
        return self._states.meanwhile(seen)

    def _look(self, room: _Room, seen: Inference) -> None:
        at = seen.at
        if room.boot != at.boot:  # another clock, and other tracks
            room.guests.clear()
            room.boot = at.boot
        here = {f.track: f for f in self._selection.of(seen.findings) if f.track is not None}
        for track, guest in room.guests.items():
            if guest.there != (track in here):
                guest.there, guest.edge_ns = not guest.there, at.mono_ns
        for track, finding in here.items():
            if track not in room.guests:
                room.guests[track] = _Guest(track, finding.label, at.mono_ns)

    def _judge(self, room: _Room, seen: Observation) -> Sequence[Decision]:
        """Who came and who went by now, and what of it is told."""
        now_ns = seen.at.mono_ns
        came, went = [], []
        for guest in list(room.guests.values()):
            held_ns = now_ns - guest.edge_ns
            if guest.there and not guest.inside and held_ns >= self._for_ns:
                guest.inside, guest.since_ns = True, guest.edge_ns
                came.append(guest)
            elif not guest.there and (not guest.inside or held_ns >= self._clear_ns):
                del room.guests[guest.track]
                if guest.inside:
                    went.append(guest)
        return self._told(room, seen, came, went)

    def _told(
        self, room: _Room, seen: Observation, came: list[_Guest], went: list[_Guest]
    ) -> Sequence[Decision]:
        if self._tell == "occupancy":
            inside = [guest for guest in room.guests.values() if guest.inside]
            return self._states.see(seen, len(inside), 0, {"tracks": sorted(guest.track for guest in inside)})
        if self._tell == "dwell":
            return self._dwelling(room, seen)
        told: list[Decision] = []
        if self._tell == "entered":
            told += self._states.see(seen, room.came, 0, {})
            for guest in came:
                room.came += 1
                told += self._states.see(seen, room.came, 0, _who(guest))
            return told
        told += self._states.see(seen, room.went, 0, {})
        for guest in went:
            room.went += 1
            stay = {"seconds": _seconds(guest.edge_ns - guest.since_ns)}
            told += self._states.see(seen, room.went, 0, _who(guest) | stay)
        return told

    def _dwelling(self, room: _Room, seen: Observation) -> Sequence[Decision]:
        longest = min((g for g in room.guests.values() if g.inside), key=lambda g: g.since_ns, default=None)
        if longest is None or seen.at.mono_ns - longest.since_ns < self._dwell_ns:
            return self._states.see(seen, "off", 0, {})
        stay = {"seconds": _seconds(seen.at.mono_ns - longest.since_ns)}
        return self._states.see(seen, "on", 0, _who(longest) | stay)


def _who(guest: _Guest) -> dict[str, Any]:
    return {"label": guest.label, "track": guest.track}


def _seconds(ns: int) -> float:
    """To a millisecond: finer than pictures come."""
    return round(ns / 1e9, 3)


def _details(state: State, evidence: dict[str, Any]) -> dict[str, Any]:
    del state
    return evidence
