"""What the board's own meters say while something is measured: power, temperature, clock; under any root, for tests.

Sources: Linux, cpu-freq (kHz); those of the rest stand in runtime/sysfs.py.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

from edgeinfer.runtime.sysfs import number, pi_limits, power_mw, temps_c

SYS = Path("/sys")
_PERIOD_S = 0.05


@dataclass(frozen=True, slots=True)
class Condition:
    """The board at one moment; None where it has no such meter. `limits`: why it runs slower than it could."""

    temp_c: float | None
    clock_mhz: float | None
    clock_max_mhz: float | None
    limits: tuple[str, ...]


def condition(root: Path = SYS) -> Condition:
    """The hottest zone, the fastest core, and what the firmware says."""
    temps = [temp_c for _, temp_c in temps_c(root)]
    now = _numbers(root, "devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")
    most = _numbers(root, "devices/system/cpu/cpu[0-9]*/cpufreq/cpuinfo_max_freq")
    return Condition(
        temp_c=max(temps, default=None),
        clock_mhz=max(now, default=0) / 1000 or None,
        clock_max_mhz=max(most, default=0) / 1000 or None,
        limits=pi_limits(root),
    )


@dataclass
class PowerMeter:
    """Samples the board's power beside a measurement; `mean_mw` asks for any span of it."""

    root: Path = SYS
    samples: list[tuple[int, float]] = field(default_factory=list)
    _stop: Event = field(default_factory=Event)
    _thread: Thread | None = None

    def __enter__(self) -> PowerMeter:
        if power_mw(self.root) is not None:
            self._thread = Thread(target=self._run, name="power-meter", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            found = power_mw(self.root)
            if found is not None:
                self.samples.append((time.monotonic_ns(), found))
            self._stop.wait(_PERIOD_S)

    def mean_mw(self, start_ns: int, end_ns: int) -> float | None:
        """The mean between two moments of CLOCK_MONOTONIC; None where nothing was sampled in between."""
        inside = [mw for at, mw in self.samples if start_ns <= at <= end_ns]
        return sum(inside) / len(inside) if inside else None


def _numbers(root: Path, pattern: str) -> list[float]:
    return [n for path in root.glob(pattern) if (n := number(path)) is not None]
