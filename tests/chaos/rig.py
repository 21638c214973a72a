"""The place of a storm: a real daemon on a disk of its own, sensors, a broker, and networks between that can fail.

Knows how to break and mend each part; what is broken when is `faults`, what must hold all the same is `judge`.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from edgeinfer.commands.door import ask
from tests.chaos.device import DEVICE
from tests.chaos.ledger import Ledger
from tests.chaos.proxy import Proxy
from tests.chaos.sensor import Sensor
from tests.chaos.witness import Witness
from tests.fixtures.brokers import Mosquitto
from tests.fixtures.clocks import WallClock
from tests.fixtures.loops import LoopDisk
from tests.line.conftest import Daemon
from tests.waiting import wait_for

SINKS = ("plant", "second", "file")
ROOTS = {"plant": f"edgeinfer/{DEVICE}", "second": f"second/{DEVICE}"}
RULES = {side: tuple(f"{side}{n}" for n in range(1, 5)) for side in ("steady", "changed")}
DISK_MB = 48
_TAKEN = (
    32  # terminals with low numbers: a container has some of the same name, and a port in use is not opened
)
_TROUBLE_S = 3.0  # so long after a fault of the disk an outbox may still hold what is not on it

# autosave by time: a broker that is killed may forget a second of what it acknowledged, and that is looked at apart
_BROKER = """persistence true
persistence_location {}/
autosave_interval 1
log_type error
log_type warning
log_type notice"""

_SOURCE = """
[source.{side}]
kind = "serial"
port = "{port}"
protocol = "lines"
block_s = 600.0
[source.{side}.lines]
channels = [{channels}]
[pipeline.{side}]
source = "{side}"
rules = [{channels}]
"""
_RULE = '[rule.{rule}]\nkind = "threshold"\nvalue = "{rule}"\non_above = {bound}\noff_below = 0.0\n'
_MQTT = '[sink.{name}]\nkind = "mqtt"\nurl = "mqtt://127.0.0.1:{port}"\ntopic = "{topic}/{{device}}"\nack_timeout_s = 3.0\n'


class PreloadedDaemon(Daemon):
    """With the environment that its wall clock needs."""

    def __init__(self, folder: Path, config: str, state: Path, clock: WallClock) -> None:
        self._clock = clock
        super().__init__(folder, config, state)

    def start(self) -> None:
        before = dict(os.environ)
        os.environ.update(self._clock.environment)
        try:
            super().start()
        finally:
            os.environ.clear()
            os.environ.update(before)


class Rig:
    """Runs from construction to `close`; `rate` is decisions a second, of all rules together."""

    def __init__(self, folder: Path, rate: float) -> None:
        for name in ("broker", "data", "daemon", "clock"):
            (folder / name).mkdir()
        self.folder, self.bound = folder, 0.0
        self.ledger = Ledger()
        self.disk = LoopDisk(folder / "disk.img", folder / "disk", DISK_MB, "noatime,errors=remount-ro")
        self.state = folder / "disk" / "state"
        self.clock = WallClock(folder / "clock")
        self.broker = Mosquitto(folder / "broker", _BROKER.format(folder / "data"))
        self.networks = {name: Proxy(lambda: self.broker.port) for name in ROOTS}
        self.witness = Witness(self.broker, ROOTS)
        self._taken = [os.openpty() for _ in range(_TAKEN)]
        lines_s = rate / sum(map(len, RULES.values()))
        self.sensors = {side: Sensor(folder / side, len(rules), lines_s) for side, rules in RULES.items()}
        self.daemon = PreloadedDaemon(folder / "daemon", self.config(), self.state, self.clock)
        self._trouble_s = 0.0
        self._later: list[tuple[float, Callable[[], None]]] = []
        self.await_daemon()

    def config(self, broken: str = "") -> str:
        parts = [f'device = "{DEVICE}"']
        parts.append(f'[sink.file]\nkind = "jsonl"\npath = "{self.file}"\nmax_bytes = 4000000000\n')
        for name, network in self.networks.items():
            topic = ROOTS[name].partition("/")[0]
            parts.append(_MQTT.format(name=name, port=network.port, topic=topic))
        for side, rules in RULES.items():
            channels = ", ".join(f'"{rule}"' for rule in rules)
            parts.append(_SOURCE.format(side=side, port=self.sensors[side].port, channels=channels))
            bound = self.bound if side == "changed" else 0.0
            parts += [_RULE.format(rule=rule, bound=bound) for rule in rules]
        return "\n".join([*parts, broken])

    @property
    def file(self) -> Path:
        return self.folder / "file.jsonl"

    # --- the daemon

    def await_daemon(self) -> None:
        self.daemon.wait_answer(60)

    def die(self, what: str, meanwhile: Callable[[], None] | None = None) -> None:
        """kill -9, and a look at what is on the disk then; where the disk changes `meanwhile`, it may lose some of it."""
        self.daemon.kill()
        if meanwhile is not None:
            meanwhile()
        self.ledger.death(what, self.state, self.folder, meanwhile is not None or self.in_trouble)

    def live(self) -> None:
        self.daemon.start()

    def fell_over(self) -> bool:
        """Whether it ended by itself, which nothing here excuses."""
        return self.daemon.process.poll() is not None

    def pause(self) -> None:
        self.daemon.process.send_signal(signal.SIGSTOP)
        wait_for(lambda: _state_of(self.daemon.process.pid) == "T", 5)

    def resume(self) -> None:
        self.daemon.process.send_signal(signal.SIGCONT)

    def reload(self, *, by_signal: bool) -> None:
        """Another bound for the rules of one pipeline, which no value falls between."""
        self.bound = 1.0 - self.bound
        self.daemon.write(self.config())
        if by_signal:
            self.daemon.hang_up()
        else:
            ask(self.state / "control.sock", {"command": "reload"})

    def depths(self) -> dict[str, int]:
        return self.daemon.health()["outbox"]

    def rss_mb(self) -> float:
        lines = Path(f"/proc/{self.daemon.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024

    # --- the disk

    @property
    def ballast(self) -> Path:
        return self.folder / "disk" / "ballast"

    def fill_disk(self) -> None:
        self._trouble_s = float("inf")
        with self.ballast.open("ab", buffering=0) as file:
            for size in (1_000_000, 4096):
                _write_for_ever(file.fileno(), bytes(size))

    def free_disk(self) -> None:
        self.ballast.unlink(missing_ok=True)
        self.trouble_passes()

    @property
    def in_trouble(self) -> bool:
        """Whether the outbox may hold decisions that are not on the disk."""
        return time.monotonic() < self._trouble_s

    def trouble_begins(self) -> None:
        self._trouble_s = float("inf")

    def trouble_passes(self) -> None:
        self._trouble_s = time.monotonic() + _TROUBLE_S

    # --- time

    def later(self, in_s: float, work: Callable[[], None]) -> None:
        self._later.append((time.monotonic() + in_s, work))

    def do_what_is_due(self) -> None:
        now_s = time.monotonic()
        for work in [work for at_s, work in self._later if at_s <= now_s]:
            work()
        self._later = [one for one in self._later if one[0] > now_s]

    # --- the end

    def heal(self) -> None:
        for network in self.networks.values():
            network.heal()
        self.broker.thaw()
        self.clock.jump(0)
        self.free_disk()

    def close(self) -> None:
        for sensor in self.sensors.values():
            sensor.close()
        if self.daemon.process.poll() is None:
            self.daemon.kill()
        self.witness.close()
        for network in self.networks.values():
            network.close()
        self.broker.stop()
        self.disk.unmount()
        for fd in (fd for pair in self._taken for fd in pair):
            os.close(fd)


def _state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _write_for_ever(fd: int, block: bytes) -> None:
    try:
        while True:
            os.write(fd, block)
    except OSError:
        return
