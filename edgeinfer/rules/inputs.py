"""The other rules that a rule watches: their last states, as on, off or unknown; says nothing about what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Instant, State


class Inputs:
    """The last states of the rules `names`.

    A number is on when it is more than 0. A rule that watches several sources has a state for each: it is on when one
    of them is, off when all are off, and else unknown. A rule that has told nothing yet is unknown.

    Raises:
        InputError: too few names, an empty one, or one twice; begins with `key`.
    """

    __slots__ = ("_at", "_states", "names")

    def __init__(self, key: str, names: Sequence[str], least: int = 1) -> None:
        if len(names) < least:
            raise InputError(
                f"{key}: expected the names of {least} rules or more, found {len(names) or 'none'}"
            )
        if any(not name for name in names):
            raise InputError(f"{key}: expected the name of a rule, found an empty text")
        names = [name.removeprefix("rule:") for name in names]
        if twice := next((name for n, name in enumerate(names) if name in names[:n]), None):
            raise InputError(f"{key}: names {twice!r} twice")
        self.names = tuple(names)
        self._states: dict[str, dict[str, State]] = {name: {} for name in self.names}
        self._at: Instant | None = None

    def take(self, seen: Decision) -> bool:
        """Remembers `seen`; whether it is of one of these rules."""
        states = self._states.get(seen.rule)
        if states is None:
            return False
        states[seen.subject] = seen.state
        return True

    def state(self, name: str) -> State:
        """on, off or unknown."""
        known = [_switch(state) for state in self._states[name].values()]
        return any_of(known) if known else "unknown"

    def states(self) -> Mapping[str, State]:
        return {name: self.state(name) for name in self.names}

    def forget(self) -> None:
        for states in self._states.values():
            states.clear()

    def moment(self, at: Instant) -> Instant:
        """`at`, or what was seen latest: decisions come from lines of different length and may overtake one another."""
        if self._at is None or at.boot != self._at.boot or at.mono_ns > self._at.mono_ns:
            self._at = at
        return self._at


def any_of(states: Sequence[State]) -> State:
    """Kleene's or: unknown does not matter where one is on."""
    return "on" if "on" in states else "unknown" if "unknown" in states else "off"


def all_of(states: Sequence[State]) -> State:
    """Kleene's and: unknown does not matter where one is off."""
    return "off" if "off" in states else "unknown" if "unknown" in states else "on"


def none_of(states: Sequence[State]) -> State:
    found = any_of(states)
    return "off" if found == "on" else "on" if found == "off" else "unknown"


def _switch(state: State) -> State:
    if isinstance(state, str):
        return state
    return "on" if state > 0 else "off"


class Happenings:
    """How often the rule `name` happens: it comes on, or its number grows; of each of its subjects.

    Raises:
        InputError: no name; begins with `key`.
    """

    __slots__ = ("_was", "name")

    def __init__(self, key: str, name: str) -> None:
        self.name = Inputs(key, (name,)).names[0]
        self._was: dict[str, State] = {}

    def happened(self, seen: Decision) -> int:
        """How often, by what `seen` tells; a first number says nothing of what was before it."""
        was = self._was.get(seen.subject, "unknown")
        self._was[seen.subject] = seen.state
        if isinstance(seen.state, str):
            return int(seen.state == "on")
        return 0 if isinstance(was, str) else max(round(seen.state - was), 0)
