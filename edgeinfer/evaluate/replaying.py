"""Runs a blueprint whose sources are recordings to its end, and says what was decided; prints nothing."""

from __future__ import annotations

import signal
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.app.looking import OpenModel, open_here
from edgeinfer.clock import StillClock
from edgeinfer.events import Entry
from edgeinfer.runtime.mailbox import READ_AHEAD
from edgeinfer.taps import Account, Seen, Tap


@dataclass(frozen=True)
class Way:
    """How a replay runs: who opens the models, how far it reads ahead, and who listens."""

    open_model: OpenModel = open_here
    ahead: int = READ_AHEAD
    taps: Sequence[Tap] = ()
    started: Callable[[Daemon], None] = lambda _: None


@dataclass
class Replayed:
    """What came of it: `code` as the daemon's, `told` what could not be read of the input."""

    code: int = 0
    entries: list[Entry] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    interrupted: bool = False


def replayed(blueprint: Blueprint, way: Way) -> Replayed:
    """Blocks until every source has come to its end, or SIGINT or SIGTERM (in the main thread) asks for less.

    The order of `entries` is the order of the outbox. Nothing depends on how fast it ran.
    """
    found = Replayed()
    lock = threading.Lock()

    def collect(_post: str, seen: Seen) -> None:
        if isinstance(seen, Account):
            with lock:
                found.entries += seen.entries

    with tempfile.TemporaryDirectory(prefix="edgeinfer-replay-") as folder:
        setting = Setting(
            blueprint,
            lambda: blueprint,
            Path(folder),
            clock=StillClock(),
            keeps=False,
            open_model=way.open_model,
            read_ahead=way.ahead,
        )
        daemon = Daemon(setting)
        for tap in (*way.taps, collect):
            daemon.taps.add(tap)
        if threading.current_thread() is threading.main_thread():
            _heed(daemon, found)
        way.started(daemon)
        found.code = daemon.run()
    found.entries.sort(key=lambda entry: entry.seq)
    found.told = [text for name in blueprint.sources for text in _notes(daemon, f"source.{name}")]
    return found


def _heed(daemon: Daemon, found: Replayed) -> None:
    def stop(*_: object) -> None:
        found.interrupted = True
        daemon.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)


def _notes(daemon: Daemon, post: str) -> list[str]:
    return list(daemon.health.post(post).notes.values())
