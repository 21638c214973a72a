"""Stands in for a pipeline that a command has paused: it judges nothing, and says so; systemd hears that all is well."""

from __future__ import annotations

from collections.abc import Sequence

from edgeinfer.runtime.health import Health
from edgeinfer.runtime.states import States

PAUSED = "paused"


class Paused:
    """A post without a thread. The states of `rules` are unknown while it stands."""

    def __init__(self, name: str, rules: Sequence[str], states: States, health: Health) -> None:
        self._post, self._rules = f"pipeline.{name}", rules
        self._states, self._health = states, health

    def start(self) -> None:
        self._health.mark(self._post, "paused", "paused by a command; `resume` lets it go on")
        self._states.set_aside(self._rules, PAUSED)

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002  a post's form
        return True

    def watch(self, now_ns: int) -> None:
        """Nothing to do."""
