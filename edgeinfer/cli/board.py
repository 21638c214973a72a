"""What the board's own meters say while something is measured: power, temperature, clock; under any root, for tests.

Sources: Linux, Documentation/hwmon/sysfs-interface (inN_input in mV, currN_input in mA, powerN_input in uW);
thermal/sysfs-api (temp in thousandths of a degree); cpu-freq (kHz); Raspberry Pi, vcgencmd get_throttled (bits).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

SYS = Path("/sys")
_PERIOD_S = 0.05
_TOTALS = ("VDD_IN", "POM_5V_IN", "VIN_SYS_5V0")  # the rail that feeds the whole of a Jetson
_THROTTLED = "devices/platform/soc/soc:firmware/get_throttled"
_BITS = {0: "under-voltage", 1: "clock capped", 2: "throttled", 3: "soft temperature limit"}


@dataclass(frozen=True, slots=True)
class Condition:
    """The board at one moment; None where it has no such meter. `limits`: why it runs slower than it could."""

    temp_c: float | None
    clock_mhz: float | None
    clock_max_mhz: float | None
    limits: tuple[str, ...]


def condition(root: Path = SYS) -> Condition:
    """The hottest zone, the fastest core, and what the firmware says."""
    temps = [n / 1000 for n in _numbers(root, "class/thermal/thermal_zone*/temp") if n > 0]
    now = _numbers(root, "devices/system/cpu/cpu[0-9]*/cpufreq/scaling_cur_freq")
    most = _numbers(root, "devices/system/cpu/cpu[0-9]*/cpufreq/cpuinfo_max_freq")
    return Condition(
        temp_c=max(temps, default=None),
        clock_mhz=max(now, default=0) / 1000 or None,
        clock_max_mhz=max(most, default=0) / 1000 or None,
        limits=_limits(root / _THROTTLED),
    )


def power_mw(root: Path = SYS) -> float | None:
    """Milliwatts now: the board's whole supply where an INA3221 names it, else the sum of its channels; None: no meter."""
    found: dict[str, float] = {}
    for chip in sorted((root / "class/hwmon").glob("hwmon*")):
        if _text(chip / "name") == "ina3221":
            found |= _channels(chip)
    if not found:
        return None
    return next((found[name] for name in _TOTALS if name in found), sum(found.values()))


def _channels(chip: Path) -> dict[str, float]:
    """Milliwatts by the channel's label."""
    found = {}
    for n in (1, 2, 3):
        volts, amperes = _number(chip / f"in{n}_input"), _number(chip / f"curr{n}_input")
        if volts is not None and amperes is not None:
            found[_text(chip / f"in{n}_label") or f"{chip.name}/{n}"] = volts * amperes / 1000
    return found


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


def _limits(path: Path) -> tuple[str, ...]:
    try:
        bits = int(_text(path), 16)
    except ValueError:
        return ()
    return tuple(text for bit, text in _BITS.items() if bits >> bit & 1)


def _numbers(root: Path, pattern: str) -> list[float]:
    return [n for path in root.glob(pattern) if (n := _number(path)) is not None]


def _number(path: Path) -> float | None:
    try:
        return float(_text(path))
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
