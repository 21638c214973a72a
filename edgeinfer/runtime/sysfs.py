"""What the kernel's files under /sys and /proc say about the board, one number at a time; judges nothing.

Sources: Linux, Documentation/hwmon/sysfs-interface (inN_input in mV, currN_input in mA); thermal/sysfs-api (temp in
thousandths of a degree); Raspberry Pi firmware, raspberrypi/linux PR 2397 (get_throttled: bits 0 to 3 hold now).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PI_THROTTLED = "devices/platform/soc/soc:firmware/get_throttled"
_PI_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}
_TOTALS = ("VDD_IN", "POM_5V_IN", "VIN_SYS_5V0")  # the rail that feeds the whole of a Jetson


def text(path: Path) -> str:
    """What stands in the file; "" when it cannot be read: a zone that is off says EAGAIN or EINVAL."""
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def number(path: Path) -> float | None:
    """A decimal number; None where there is none."""
    try:
        return float(text(path))
    except ValueError:
        return None


def celsius(path: Path) -> float | None:
    """°C, of a file in thousandths of a degree."""
    found = number(path)
    return None if found is None else found / 1000


def temps_c(sys: Path) -> Iterator[tuple[str, float]]:
    """(type, °C) of every thermal zone that tells one; one that is off says a negative number (Jetson: -256)."""
    for zone in sorted(sys.glob("class/thermal/thermal_zone*")):
        temp_c = celsius(zone / "temp")
        if temp_c is not None and temp_c > 0:
            yield text(zone / "type") or zone.name, temp_c
    for chip in sorted(sys.glob("class/apex/apex_*")):  # a Coral on PCIe or M.2; one on USB has no meter
        temp_c = celsius(chip / "temp")
        if temp_c is not None and temp_c > 0:
            yield chip.name, temp_c


def pi_limits(sys: Path) -> tuple[str, ...]:
    """Why a Raspberry Pi runs slower than it could, now; empty where it does not, or is none."""
    try:
        bits = int(text(sys / PI_THROTTLED), 16)
    except ValueError:
        return ()
    return tuple(name for bit, name in _PI_BITS.items() if bits >> bit & 1)


def power_mw(sys: Path) -> float | None:
    """Milliwatts now: the board's whole supply where an INA3221 names it, else the sum of its channels; None: no meter."""
    found: dict[str, float] = {}
    for chip in sorted(sys.glob("class/hwmon/hwmon*")):
        if text(chip / "name") == "ina3221":
            found |= _channels(chip)
    if not found:
        return None
    return next((found[name] for name in _TOTALS if name in found), sum(found.values()))


def _channels(chip: Path) -> dict[str, float]:
    """Milliwatts by the channel's label."""
    found = {}
    for n in (1, 2, 3):
        millivolts, milliamperes = number(chip / f"in{n}_input"), number(chip / f"curr{n}_input")
        if millivolts is not None and milliamperes is not None:
            found[text(chip / f"in{n}_label") or f"{chip.name}/{n}"] = millivolts * milliamperes / 1000
    return found
