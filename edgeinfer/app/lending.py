"""Ports that the daemon has lent: the sources on them rest, and come back on return or when the lease runs out.

A lease, because a flasher that dies must not keep a machine blind.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from edgeinfer.app.probe import Plugin
from edgeinfer.commands.table import Lend, Return
from edgeinfer.errors import InputError
from edgeinfer.events import Lost
from edgeinfer.ports import Clock
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.mailbox import Hub

log = logging.getLogger(__name__)

LEASE_MAX_S = 3600.0


@dataclass(frozen=True, slots=True)
class _Loan:
    device: str
    reason: str
    until_ns: int


class Lending:
    """A post of the supervisor; all but `watch` runs as a command in the supervisor's thread.

    Args:
        sources: the sources of the config as it is now.
        replan: applies the plan anew; asks `resting` which sources to leave out.
        found: the ports that sources found by themselves and have open now (see Commons).
        soon: has work done in the supervisor's thread, between two looks.
    """

    def __init__(
        self,
        sources: Callable[[], Mapping[str, Plugin]],
        replan: Callable[[], None],
        soon: Callable[[Callable[[], Any]], None],
        clock: Clock,
        health: Health,
        hub: Hub,
        found: Mapping[str, str],
    ) -> None:
        self._sources, self._replan, self._soon = sources, replan, soon
        self._clock, self._health, self._hub = clock, health, hub
        self._found = found
        self._loans: dict[str, _Loan] = {}  # by source

    def resting(self) -> frozenset[str]:
        """The sources whose port is lent."""
        return frozenset(self._loans)

    def lend(self, asked: Lend) -> dict[str, Any]:
        """Stops the sources on a port; asked again while it is lent, it renews the lease.

        Raises:
            InputError: the lease is not a time that makes sense.
        """
        if not 0 < asked.lease_s <= LEASE_MAX_S:
            raise InputError(f"lease_s: expected 0 to {LEASE_MAX_S:.0f} seconds, found {asked.lease_s}")
        device = os.path.realpath(asked.port)
        until_ns = self._clock.now().mono_ns + int(asked.lease_s * 1e9)
        reason = f"port {asked.port} is lent to {asked.to}"
        names = [name for name, plugin in self._sources().items() if self._is_on(name, plugin, device)]
        fresh = [name for name in names if name not in self._loans]
        self._loans |= {name: _Loan(device, reason, until_ns) for name in names}
        if fresh:
            self._replan()
        for name in fresh:
            self._say_lost(name, reason)
        return {"sources": names, "lease_s": asked.lease_s}

    def take_back(self, asked: Return) -> dict[str, Any]:
        """Starts the sources again; returning what is not lent does nothing."""
        device = os.path.realpath(asked.port)
        return {"sources": self._end([name for name, loan in self._loans.items() if loan.device == device])}

    # --- the post

    def start(self) -> None:
        """Nothing to do: it has no thread."""

    def stop(self, timeout_s: float) -> bool:  # noqa: ARG002  a post's form
        return True

    def watch(self, now_ns: int) -> None:
        """Called by the supervisor: a lease that has run out ends the loan."""
        if any(loan.until_ns <= now_ns for loan in self._loans.values()):
            self._soon(self._expire)

    def _expire(self) -> None:
        now_ns = self._clock.now().mono_ns
        over = [name for name, loan in self._loans.items() if loan.until_ns <= now_ns]
        for name in over:
            log.warning("%s: the lease has run out: the source takes its port back", self._loans[name].reason)
        self._end(over)

    def _end(self, names: list[str]) -> list[str]:
        for name in names:
            del self._loans[name]
            self._hub.lost(name, None)
            if name in self._sources():
                self._health.mark(f"source.{name}", "starting")
            else:  # a reload has taken it out of the config meanwhile
                self._health.forget(f"source.{name}")
        if names:
            self._replan()
        return names

    def _say_lost(self, name: str, reason: str) -> None:
        lost = Lost((name, -1), self._clock.now(), reason)
        self._hub.lost(name, lost)
        self._hub.offer(name, lost)
        self._health.mark(f"source.{name}", "degraded", reason)

    def _is_on(self, name: str, plugin: Plugin, device: str) -> bool:
        """By its option `port`, or by where it found its node; one that still looks for it rests, too."""
        if name in self._loans:
            return self._loans[name].device == device
        if port := getattr(plugin.options, "port", "") or self._found.get(name, ""):
            return os.path.realpath(port) == device
        searching = self._health.post(f"source.{name}").condition != "ok"  # it may open any port at any time
        return bool(getattr(plugin.options, "node", "")) and searching
