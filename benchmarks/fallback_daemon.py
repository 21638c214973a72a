"""The cycles of benchmarks/fallback.py over a whole daemon: `edgeinfer run` with a camera, a rule and a file of decisions.

The longest wait for a decision is taken over the whole fault: from the moment it is switched on until the CPU decides,
and on until the accelerator is back. Decisions come with each picture, twenty a second.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fallback import FAULTS, SETTLED, Left
from tests.engine.test_isolated import gone
from tests.fixtures.delegates import Accelerator
from tests.line.conftest import Daemon
from tests.line.test_accelerator import Line, both, config
from tests.waiting import wait_for

RETRY_S = 0.1  # the longest pause before a new try; it is no part of what is measured
_ASK_S = 0.02  # between questions to the daemon


@dataclass
class Lived:
    """Seconds without a decision, the longest of each cycle, by fault; what the daemon had before and after."""

    waited_s: dict[str, list[float]] = field(default_factory=lambda: {fault: [] for fault in FAULTS})
    before: Left | None = None
    after: Left | None = None
    lost: int = 0
    back: int = 0
    states: set[str] = field(default_factory=set)
    exit_code: int | None = None


def left_of(pid: int) -> Left:
    """What that process has now."""
    proc = Path(f"/proc/{pid}")
    status = (proc / "status").read_text()
    rss_kb, threads = (int(status.partition(f"{key}:")[2].split()[0]) for key in ("VmRSS", "Threads"))
    children = {c for p in proc.glob("task/*/children") for c in p.read_text().split()}
    return Left(rss_kb, len(os.listdir(proc / "fd")), len(children), threads)


class _Watch:
    """The longest time without a new decision since `reset`."""

    def __init__(self, decisions: Path) -> None:
        self._path, self._size, self._last_s, self.longest_s = decisions, 0, 0.0, 0.0
        self.reset()

    def reset(self) -> None:
        self._size, self._last_s, self.longest_s = self._path.stat().st_size, time.perf_counter(), 0.0

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Looks at the file all the time, and now and then whether it is over."""
        asked_s = 0.0

        def look() -> bool:
            nonlocal asked_s
            now_s, size = time.perf_counter(), self._path.stat().st_size
            self.longest_s = max(self.longest_s, now_s - self._last_s)
            if size != self._size:
                self._size, self._last_s = size, now_s
            if now_s - asked_s < _ASK_S:
                return False
            asked_s = now_s
            return condition()

        wait_for(look, 90.0, what)


def measure(accelerator: Accelerator, folder: Path, cycles: int) -> Lived:
    lived = Lived()
    (folder / "daemon").mkdir()
    daemon = Daemon(folder / "daemon", config(folder, ("parts", both(accelerator, f"retry_s = {RETRY_S}"))))
    try:
        line = Line(daemon, folder)
        line.on("libdelegate.so")
        line.goes_on()
        watch = _Watch(folder / "out.jsonl")
        for n in range(cycles):
            if n == SETTLED:
                lived.before = left_of(daemon.process.pid)
            fault = FAULTS[n % len(FAULTS)]
            watch.reset()
            accelerator.turn(fault)
            watch.until(
                lambda: "cpu" in line.runtime, f"after {fault} the CPU decides\n{daemon.log()[-2000:]}"
            )
            accelerator.turn("")
            watch.until(
                lambda: "libdelegate.so" in line.runtime, f"back after {fault}\n{daemon.log()[-2000:]}"
            )
            lived.waited_s[fault].append(watch.longest_s)
        line.goes_on()
        lived.after = left_of(daemon.process.pid)
        lived.lost, lived.back = line.post["accelerator_lost"], line.post["accelerator_back"]
        lived.states = set(line.states())
        lived.exit_code = daemon.stop()
        wait_for(lambda: all(map(gone, accelerator.processes())), what="no child is left")
    finally:
        if daemon.process.poll() is None:
            daemon.kill()
    return lived
