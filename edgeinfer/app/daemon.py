"""The daemon: config to running posts, signals, reload, control socket, ordered end."""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgeinfer import __version__
from edgeinfer.app.auditing import POST as AUDIT
from edgeinfer.app.auditing import Auditing
from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.crashes import Crashes
from edgeinfer.app.explaining import Explaining
from edgeinfer.app.fronts import Front, Inside
from edgeinfer.app.lending import Lending
from edgeinfer.app.looking import OpenModel, open_here
from edgeinfer.app.orders import Orders
from edgeinfer.app.overriding import draw_overridden
from edgeinfer.app.plan import DOOR, Services, plan
from edgeinfer.app.recorder import Recorder
from edgeinfer.app.snapshots import Snapshots
from edgeinfer.app.trust import TRUST, Trust
from edgeinfer.clock import SystemClock
from edgeinfer.commands.door import Door
from edgeinfer.commands.ledger import Ledger
from edgeinfer.commands.letterbox import Letterboxes, Office
from edgeinfer.commands.table import (
    Asker,
    Commands,
    Explain,
    Health,
    Lend,
    Pause,
    Reload,
    Resume,
    Return,
    Set,
    Snapshot,
    Tell,
    Use,
)
from edgeinfer.commons import Commons
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.ports import Clock
from edgeinfer.runtime import health as board
from edgeinfer.runtime import vitals
from edgeinfer.runtime.board import Board
from edgeinfer.runtime.folder import StateFolder
from edgeinfer.runtime.governor import Governor
from edgeinfer.runtime.machine import claim, identity
from edgeinfer.runtime.mailbox import READ_AHEAD, Hub
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.runtime.supervisor import Plan, Spec, Supervisor
from edgeinfer.runtime.systemd import Systemd
from edgeinfer.runtime.watched import Watched
from edgeinfer.taps import Taps

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Setting:
    """What a daemon runs and where; `draw` gives the blueprint anew at a reload; no `door`, no control socket."""

    blueprint: Blueprint
    draw: Callable[[], Blueprint]
    state_dir: Path
    door: Path | None = None
    systemd: Systemd = field(default_factory=Systemd)
    clock: Clock = field(default_factory=SystemClock)
    keeps: bool = True  # pictures of decisions, where a pipeline wants it
    open_model: OpenModel = open_here
    read_ahead: int = READ_AHEAD
    trust: Path = TRUST
    fronts: tuple[Front, ...] = ()  # posts of rooms above: the web page


class Daemon:
    """Built by `run` and `demo`, and by tests: everything is in place once it is constructed.

    Raises:
        StateError: the state folder cannot be used or is in use.
    """

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self.blueprint = setting.blueprint
        self._exit = ExitStack()
        folder = StateFolder(setting.state_dir)
        self._exit.callback(folder.close)
        clock = setting.clock
        machine = identity()
        claim(folder.path, machine)
        self.crashes = Crashes(folder.path, clock)
        self._exit.callback(self.crashes.close)
        self.health = board.Health(clock)
        self.health.about(version=__version__, config=self.blueprint.config.digest)
        self.supervisor = Supervisor(self.health, setting.systemd)
        self.taps = Taps()
        self.audit = Auditing(
            folder.path, clock, self.health, self.supervisor.fatal, self.blueprint.state.audit_max_bytes
        )
        self._snapshots = Snapshots()
        self.taps.add(self._snapshots.tap)
        self.outbox = self._open_outbox(folder.path, clock)
        self._states = States(self.outbox, _owners(self.blueprint), self.blueprint.config.digest)
        hub, commons = Hub(), Commons(folder.path)
        self._lending = Lending(
            sources=lambda: self.blueprint.sources,
            replan=lambda: self.supervisor.apply(self._plan(self.blueprint)),
            soon=self.supervisor.post_soon,
            clock=clock,
            health=self.health,
            hub=hub,
            found=commons.found,
        )
        self._commands = self._table(folder.path)
        self._services = Services(
            clock=clock,
            health=self.health,
            outbox=self.outbox,
            states=self._states,
            hub=hub,
            taps=self.taps,
            fatal=self.supervisor.fatal,
            machine_id=machine,
            commons=commons,
            crashes=self.crashes,
            letters=self._letterboxes(folder.path, clock),
            trust=Trust(setting.trust),
            open_model=setting.open_model,
            read_ahead=setting.read_ahead,
        )
        self._explaining = Explaining(self._services, folder.path)
        self._tell_overrides()
        self._inside = Inside(
            clock=clock,
            health=self.health,
            outbox=self.outbox,
            taps=self.taps,
            fatal=self.supervisor.fatal,
            commands=self._commands,
            ask=self.supervisor.ask,
            snapshot=self.snapshot,
        )

    def _table(self, folder: Path) -> Commands:
        orders = Orders(lambda: self.blueprint, folder, self._redraw, self._states)
        recorder = Recorder(self.audit.log, self.outbox, lambda: self.blueprint.config.digest)
        handlers: dict[type, Callable[[Any], Any]] = {
            Health: lambda _: self.snapshot(),
            Reload: lambda _: self.reload(),
            Lend: self._lending.lend,
            Return: self._lending.take_back,
            Pause: orders.pause,
            Resume: orders.resume,
            Set: orders.set,
            Use: orders.use,
            Snapshot: self._snapshots.take,
            Tell: lambda _: {},  # the recorder does it
            Explain: self._explain,
        }
        return Commands(handlers, recorder)

    def _explain(self, asked: Explain) -> object:
        return self._explaining.answer(asked)

    def _letterboxes(self, folder: Path, clock: Clock) -> Letterboxes:
        meters = self.health.post("commands").meters
        ledger = Ledger(folder, self.health.reporter("commands"))
        soon = self.supervisor.post_soon
        return Letterboxes(Office(self.blueprint.device, self._commands, ledger, clock, soon, meters))

    def run(self) -> int:
        """Blocks until the end; returns the exit code."""
        with self._exit:
            self.audit.begun(__version__, self.blueprint, self.outbox)
            self.supervisor.apply(self._plan(self.blueprint))
            log.info("edgeinfer %s decides as %s", __version__, self.blueprint.device)
            code = self.supervisor.run()
            self.audit.ended(code, self.supervisor.why)
            return code

    def stop(self) -> None:
        """Ends `run` in order; from any thread or signal handler."""
        self.supervisor.request_stop()

    def heed_signals(self) -> None:
        """SIGTERM and SIGINT stop in order, SIGHUP reloads. Only in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        signal.signal(signal.SIGHUP, lambda *_: self.supervisor.post_soon(self._reload_quietly))

    def snapshot(self) -> dict[str, Any]:
        """What `health` answers."""
        depth = {name: self.outbox.depth(f"sink.{name}") for name in self.blueprint.sinks}
        return {"device": self.blueprint.device, "outbox": depth} | self.health.snapshot()

    def reload(self) -> dict[str, str]:
        """Validates the config first and keeps the old one on error; then applies the difference."""
        report = self.health.reporter("config")
        try:
            blueprint = self._setting.draw()
            self._refuse_other_identity(blueprint)
        except EdgeinferError as error:
            report("reload", f"the old config stays: {error}")
            raise
        report("reload", None)
        return self._apply(blueprint)

    def _redraw(self) -> dict[str, str]:
        """What runs, with overrides and bundles as they are now."""
        written = self.blueprint.written or self.blueprint.config
        return self._apply(draw_overridden(written, (), self._setting.state_dir))

    def _apply(self, blueprint: Blueprint) -> dict[str, str]:
        self.blueprint = blueprint
        self.audit.reloaded(blueprint)
        self._tell_overrides()
        self._snapshots.forget(frozenset(f"source.{name}" for name in blueprint.sources))
        self.health.about(config=blueprint.config.digest)
        self.outbox.retire([f"sink.{name}" for name in blueprint.sinks])
        self._states.replan(_owners(blueprint), blueprint.config.digest)
        self.supervisor.apply(self._plan(blueprint))
        log.info("reloaded: %s", blueprint.config.digest)
        return {"config": blueprint.config.digest}

    def _tell_overrides(self) -> None:
        """What commands have changed stands in health; what of it no longer fits makes it degraded."""
        overrides, ignored = self.blueprint.overrides, self.blueprint.ignored
        self.health.reporter("config")("overrides", "; ".join(ignored) or None)
        self.health.post("config").facts["overrides"] = ", ".join(overrides.words())

    def _refuse_other_identity(self, blueprint: Blueprint) -> None:
        """Numbers and states belong to a device and a state folder: these need a restart."""
        old, new = self.blueprint, blueprint
        if new.device != old.device:
            raise InputError(
                f"device is {new.device!r} now, and was {old.device!r}: restart the daemon for that"
            )
        if new.state != old.state:
            raise InputError("[state] has changed: restart the daemon for that")

    def _reload_quietly(self) -> None:
        """For SIGHUP: nobody waits for the answer; health and log have it."""
        try:
            self._commands.execute(Reload(), Asker("signal", "SIGHUP"))
        except EdgeinferError:
            log.debug("reload refused")

    def _open_outbox(self, folder: Path, clock: Clock) -> Outbox:
        state = self.blueprint.state
        outbox = Outbox(
            folder / "outbox.sqlite",
            self.blueprint.device,
            clock,
            max_bytes=state.outbox_max_bytes,
            history=state.history,
            sync_s=state.sync_s,
            report=self.health.reporter("outbox"),
            heed=self.audit.heed,
        )
        self._exit.callback(outbox.close)
        outbox.retire([f"sink.{name}" for name in self.blueprint.sinks])
        return outbox

    def _plan(self, blueprint: Blueprint) -> Plan:
        resting = {f"source.{name}" for name in self._lending.resting()}
        posts = {name: spec for name, spec in plan(blueprint, self._services).items() if name not in resting}
        if self._setting.keeps:
            posts |= self._explaining.posts(blueprint)
        posts["board"] = Spec(self._governor, "", DOOR)
        posts[AUDIT] = Spec(lambda: self.audit, "", DOOR)
        for front in self._setting.fronts:
            posts |= front(blueprint, self._inside)
        posts["lending"] = Spec(lambda: self._lending, "", DOOR)
        if self._setting.door is not None:
            path = self._setting.door
            posts["door"] = Spec(lambda: Door(path, self._commands, self.supervisor), str(path), DOOR)
        return posts

    def _governor(self) -> Governor:
        folder = self._setting.state_dir
        watched = Watched(lambda: vitals.read(folder), folder, self.health)
        hub, fatal = self._services.hub, self.supervisor.fatal
        return Governor(Board().throttles, hub, self.health, fatal, also=watched.look)


def _owners(blueprint: Blueprint) -> dict[str, str]:
    """Rule → pipeline, of all rules that decide."""
    return {rule: name for name, p in blueprint.pipelines.items() for rule in p.options.rules}
