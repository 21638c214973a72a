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
from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.crashes import Crashes
from edgeinfer.app.lending import Lending
from edgeinfer.app.plan import DOOR, Services, plan
from edgeinfer.clock import SystemClock
from edgeinfer.commands.door import Door
from edgeinfer.commands.table import Commands, Health, Lend, Reload, Return
from edgeinfer.commons import Commons
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.ports import Clock
from edgeinfer.runtime import health as board
from edgeinfer.runtime.board import Board
from edgeinfer.runtime.folder import StateFolder
from edgeinfer.runtime.governor import Governor
from edgeinfer.runtime.machine import claim, identity
from edgeinfer.runtime.mailbox import Hub
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.runtime.supervisor import Plan, Spec, Supervisor
from edgeinfer.runtime.systemd import Systemd
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
        self.outbox = self._open_outbox(folder.path, clock)
        self._states = States(self.outbox, _owners(self.blueprint), self.blueprint.config.digest)
        self._services = Services(
            clock=clock,
            health=self.health,
            outbox=self.outbox,
            states=self._states,
            hub=Hub(),
            taps=self.taps,
            fatal=self.supervisor.fatal,
            machine_id=machine,
            commons=Commons(folder.path),
            crashes=self.crashes,
        )
        self._lending = Lending(
            sources=lambda: self.blueprint.sources,
            replan=lambda: self.supervisor.apply(self._plan(self.blueprint)),
            soon=self.supervisor.post_soon,
            clock=clock,
            health=self.health,
            hub=self._services.hub,
            found=self._services.commons.found,
        )

    def run(self) -> int:
        """Blocks until the end; returns the exit code."""
        with self._exit:
            self.supervisor.apply(self._plan(self.blueprint))
            log.info("edgeinfer %s decides as %s", __version__, self.blueprint.device)
            return self.supervisor.run()

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
        self.blueprint = blueprint
        self.health.about(config=blueprint.config.digest)
        self.outbox.retire([f"sink.{name}" for name in blueprint.sinks])
        self._states.replan(_owners(blueprint), blueprint.config.digest)
        self.supervisor.apply(self._plan(blueprint))
        log.info("reloaded: %s", blueprint.config.digest)
        return {"config": blueprint.config.digest}

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
            self.reload()
        except EdgeinferError:
            log.debug("reload refused")

    def _open_outbox(self, folder: Path, clock: Clock) -> Outbox:
        state = self.blueprint.state
        outbox = Outbox(
            folder / "outbox.sqlite",
            self.blueprint.device,
            clock,
            max_bytes=state.outbox_max_bytes,
            sync_s=state.sync_s,
            report=self.health.reporter("outbox"),
        )
        self._exit.callback(outbox.close)
        outbox.retire([f"sink.{name}" for name in self.blueprint.sinks])
        return outbox

    def _plan(self, blueprint: Blueprint) -> Plan:
        resting = {f"source.{name}" for name in self._lending.resting()}
        posts = {name: spec for name, spec in plan(blueprint, self._services).items() if name not in resting}
        posts["board"] = Spec(self._governor, "", DOOR)
        posts["lending"] = Spec(lambda: self._lending, "", DOOR)
        if self._setting.door is not None:
            commands = Commands(
                {
                    Health: lambda _: self.snapshot(),
                    Reload: lambda _: self.reload(),
                    Lend: self._lending.lend,
                    Return: self._lending.take_back,
                }
            )
            path = self._setting.door
            posts["door"] = Spec(lambda: Door(path, commands, self.supervisor), str(path), DOOR)
        return posts

    def _governor(self) -> Governor:
        return Governor(Board().throttles, self._services.hub, self.health, self.supervisor.fatal)


def _owners(blueprint: Blueprint) -> dict[str, str]:
    """Rule → pipeline, of all rules that decide."""
    return {rule: name for name, p in blueprint.pipelines.items() for rule in p.options.rules}
