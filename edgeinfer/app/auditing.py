"""The post of the audit log: starts and ends, decisions in batches, flashes, and bringing what was written to the medium."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from edgeinfer.app.account import Account, late
from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.flashes import Flashes
from edgeinfer.audit import AuditLog
from edgeinfer.audit.files import newest_first
from edgeinfer.errors import DeviceError
from edgeinfer.events import Entry
from edgeinfer.ports import Clock
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.loop import Fatal, Loop
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.wire.times import iso

FOLDER = "audit"
FILES = 8
POST = "audit"
_LOOK_S = 1.0  # what a power cut may take
_BATCH_NS = 300_000_000_000  # decisions are told in batches: a line costs some kB on the medium, and room
_WITH_MACHINE = "died with the machine"
_MOST_LATE = 100_000  # decisions that are read back after a death


class Auditing:
    """Opens the log at once, so that what comes before the posts stands in it; `start` begins the upkeep.

    Health: `head` (hash of the last line) and `lines` (its number) of the post `audit`; meters `missed`, `held`.
    """

    def __init__(self, folder: Path, clock: Clock, health: Health, fatal: Fatal, max_bytes: int) -> None:
        self._clock, self._health = clock, health
        report = health.reporter(POST)
        self.log = AuditLog(
            folder / FOLDER, self._now, report, max_bytes=max(max_bytes // FILES, 1), keep=FILES
        )
        self._account, self._flashes = Account(), Flashes(folder)
        self._loop = Loop(POST, self._run, health, fatal)
        self._last_seq = 0
        self._before = self._look_back(folder / FOLDER)

    def _now(self) -> str:
        return iso(self._clock.now().unix_ns)

    def _look_back(self, folder: Path) -> str:
        """How the run before this one ended, and how far it had told decisions and flashes."""
        how, seq, flashes = "", None, None
        try:
            for line in newest_first(folder):
                if line.kind == "stop":
                    how = how or "stopped"
                elif line.kind == "decisions" and seq is None:
                    seq = line.facts.get("last")
                elif line.kind == "flash" and flashes is None:
                    flashes = line.facts.get("upto")
                elif line.kind == "start":
                    how = how or (
                        "died" if line.facts.get("boot") == self._clock.now().boot else _WITH_MACHINE
                    )
                    seq = line.facts.get("seq") if seq is None else seq
                    flashes = line.facts.get("flashes") if flashes is None else flashes
                    break
        except OSError:  # the log says so itself, when it is written to
            return "unknown"
        self._last_seq, self._flashes.told = int(seq or 0), int(flashes or 0)
        return how or ("died" if self.log.n else "first")  # so long ago that its start was dropped

    # --- what the daemon tells ---------------------------------------------------------------------------

    def heed(self, entries: Sequence[Entry]) -> None:
        """What the outbox takes."""
        self._account.add(entries)

    def begun(self, version: str, blueprint: Blueprint, outbox: Outbox) -> None:
        """A start, and how the run before it ended."""
        self.log.write(
            "start",
            version=version,
            **running(blueprint),
            before=self._before,
            boot=self._clock.now().boot,
            pid=os.getpid(),
            seq=self._last_seq,
            flashes=self._flashes.told,
        )
        self._catch_up(outbox)
        self._tell()

    def _catch_up(self, outbox: Outbox) -> None:
        """Decisions that the run before this one had not told when it died."""
        after, newest = self._last_seq, outbox.newest
        if not after or newest <= after:
            return
        try:
            entries = outbox.read(after, min(newest - after, _MOST_LATE))
        except DeviceError:
            entries = []
        self.log.write("decisions", **late(entries, after, newest), late=True)

    def reloaded(self, blueprint: Blueprint) -> None:
        self.log.write("config", **running(blueprint))

    def ended(self, code: int, why: str) -> None:
        """The last line of a run."""
        self._batch()
        self.log.write("stop", exit_code=code, **({"why": why} if why else {}))
        self.log.close()

    # --- the post ----------------------------------------------------------------------------------------

    def start(self) -> None:
        self._loop.start()

    def stop(self, timeout_s: float) -> bool:
        return self._loop.join(timeout_s)

    def watch(self, now_ns: int) -> None:
        """Nothing to do: a disk that hangs holds up this thread alone."""

    def _run(self, loop: Loop) -> None:
        loop.well()
        next_ns = self._clock.now().mono_ns + _BATCH_NS
        while not loop.stop.wait(_LOOK_S):
            loop.beat()
            self._look_at_flashes()
            if (now_ns := self._clock.now().mono_ns) >= next_ns:
                self._batch()
                next_ns = now_ns + _BATCH_NS
            self.log.retry()
            self.log.sync()
            self._tell()

    def _look_at_flashes(self) -> None:
        try:
            for kind, facts in self._flashes.fresh():
                self.log.write(kind, **facts)
        except OSError as error:
            self._health.reporter(POST)("flashes", f"the flash log cannot be read: {error}")
        else:
            self._health.reporter(POST)("flashes", None)

    def _batch(self) -> None:
        if facts := self._account.close():
            self.log.write("decisions", **facts)

    def _tell(self) -> None:
        """As facts, not as news: health goes out each minute anyway."""
        post = self._health.post(POST)
        post.facts["head"], post.facts["line"] = self.log.head, str(self.log.n)
        post.meters.gauges["held"], post.meters.gauges["missed"] = self.log.held, self.log.missed


def running(blueprint: Blueprint) -> dict[str, Any]:
    """What decides now."""
    return {
        "device": blueprint.device,
        "config": blueprint.config.digest,
        "bundles": {name: model.bundle.identity for name, model in blueprint.models.items()},
        "overrides": blueprint.overrides.words(),
    }
