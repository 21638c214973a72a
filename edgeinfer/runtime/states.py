"""The last known state of every rule, for whoever (re)connects; in memory only, unknown when the daemon starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from threading import Lock

from edgeinfer.events import Decision, Entry, Instant
from edgeinfer.runtime.outbox import Outbox


class States:
    """Rule → its last entry; safe from any thread.

    Where nobody decided ("starting", "stopped") the entry has no id, and its seq is the newest of the outbox at that
    moment: what is older than that, and perhaps still waits there, says nothing about the state any more.

    Args:
        outbox: gives device, clock and the newest seq.
        rules: rule → pipeline, of all rules in the config.
        config: identity of the config in the envelope.
    """

    def __init__(self, outbox: Outbox, rules: Mapping[str, str], config: str = "") -> None:
        self._outbox, self._lock = outbox, Lock()
        self._entries: dict[str, Entry] = {}
        self.version = 0  # grows with each replan
        self.replan(rules, config)

    def replan(self, rules: Mapping[str, str], config: str = "") -> None:
        """Another config: rules that stay keep their state, new ones start unknown, the others are forgotten."""
        at, seq = self._outbox.clock.now(), self._outbox.newest
        with self._lock:
            self._pipelines, self._config = dict(rules), config
            self._entries = {
                rule: self._entries.get(rule) or self._unknown(rule, "starting", at, seq) for rule in rules
            }
            self.version += 1

    def update(self, entries: Iterable[Entry]) -> None:
        """What was just appended to the outbox."""
        with self._lock:
            for entry in entries:
                if entry.decision.rule in self._entries:
                    self._entries[entry.decision.rule] = entry

    def all(self) -> list[Entry]:
        """One entry for each rule."""
        with self._lock:
            return list(self._entries.values())

    def set_aside(self, rules: Iterable[str], reason: str) -> None:
        """Nobody decides these for now: they are unknown, and everybody is told why."""
        at, seq = self._outbox.clock.now(), self._outbox.newest
        with self._lock:
            for rule in self._entries.keys() & set(rules):
                if self._entries[rule].decision.details.get("reason") != reason:
                    self._entries[rule] = self._unknown(rule, reason, at, seq)
                    self.version += 1

    def ended(self, reason: str = "stopped") -> list[Entry]:
        """The same rules, unknown from now on; the memory stays as it is."""
        at, seq = self._outbox.clock.now(), self._outbox.newest
        with self._lock:
            return [self._unknown(rule, reason, at, seq) for rule in self._entries]

    def _unknown(self, rule: str, reason: str, at: Instant, seq: int) -> Entry:
        decision = Decision(self._pipelines[rule], rule, "", "unknown", at, ("", 0), {"reason": reason})
        return Entry(seq, "", at.boot, self._outbox.device, decision, "", self._config)
