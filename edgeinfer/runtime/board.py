"""Whether the board holds itself back, from what the kernel says in /sys; reads only, and knows no pipelines."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

_SLOWING_TRIPS = {"passive", "hot", "critical"}  # kernel: Documentation/driver-api/thermal/sysfs-api
# Raspberry Pi firmware, raspberrypi/linux PR 2397: bits that hold now; those from 16 on are history.
_PI_BITS = {0: "under-voltage", 1: "frequency capped", 2: "throttled", 3: "soft temperature limit"}


class Board:
    """A board under `root`, which is "/" but in tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._sys = root / "sys"

    def throttles(self) -> str | None:
        """Why the board computes more slowly now, in words; None when it does not, or does not say."""
        return "; ".join([*self._pi(), *self._voltage(), *self._hot()]) or None

    def temp_c(self) -> float | None:
        """Of the warmest zone, in °C; None where no zone tells."""
        zones = self._sys.glob("class/thermal/thermal_zone*/temp")
        return max((t for t in map(_celsius, zones) if t is not None), default=None)

    def _pi(self) -> Iterator[str]:
        text = _text(self._sys / "devices/platform/soc/soc:firmware/get_throttled")
        with contextlib.suppress(ValueError):
            bits = int(text, 16)
            yield from (name for bit, name in _PI_BITS.items() if bits >> bit & 1)

    def _voltage(self) -> Iterator[str]:
        """The Pi's mainline driver; only where the firmware's own word is not there."""
        if (self._sys / "devices/platform/soc/soc:firmware/get_throttled").exists():
            return
        for chip in sorted(self._sys.glob("class/hwmon/hwmon*")):
            if _text(chip / "name") == "rpi_volt" and _text(chip / "in0_lcrit_alarm") == "1":
                yield "under-voltage"

    def _hot(self) -> Iterator[str]:
        for zone in sorted(self._sys.glob("class/thermal/thermal_zone*")):
            temp_c, limit_c = _celsius(zone / "temp"), _lowest_trip_c(zone)
            if temp_c is not None and limit_c is not None and temp_c >= limit_c:
                yield f"{_text(zone / 'type') or zone.name} is {temp_c:.0f} °C, and slows down at {limit_c:.0f} °C"


def _lowest_trip_c(zone: Path) -> float | None:
    trips = [
        _celsius(kind.with_name(kind.name.replace("_type", "_temp")))
        for kind in zone.glob("trip_point_*_type")
        if _text(kind) in _SLOWING_TRIPS
    ]
    return min((t for t in trips if t is not None and t > 0), default=None)


def _celsius(path: Path) -> float | None:
    with contextlib.suppress(ValueError):
        return int(_text(path)) / 1000
    return None


def _text(path: Path) -> str:
    """What stands in the file; "" when it cannot be read: a zone that is off says EAGAIN or EINVAL."""
    try:
        return path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
