"""Whether the board holds itself back, from what the kernel says in /sys; reads only, and knows no pipelines."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeinfer.runtime.sysfs import PI_THROTTLED, celsius, pi_limits, temps_c, text

_SLOWING_TRIPS = {"passive", "hot", "critical"}  # kernel: Documentation/driver-api/thermal/sysfs-api


class Board:
    """A board under `root`, which is "/" but in tests."""

    def __init__(self, root: Path = Path("/")) -> None:
        self._sys = root / "sys"

    def throttles(self) -> str | None:
        """Why the board computes more slowly now, in words; None when it does not, or does not say."""
        return "; ".join([*pi_limits(self._sys), *self._voltage(), *self._hot()]) or None

    def under_voltage(self) -> bool:
        """Whether the supply is too weak now, as far as the board can tell (a Raspberry Pi)."""
        return "under-voltage" in [*pi_limits(self._sys), *self._voltage()]

    def temp_c(self) -> float | None:
        """Of the warmest zone, in °C; None where no zone tells."""
        return max((temp_c for _, temp_c in temps_c(self._sys)), default=None)

    def _voltage(self) -> Iterator[str]:
        """The Pi's mainline driver; only where the firmware's own word is not there."""
        if (self._sys / PI_THROTTLED).exists():
            return
        for chip in sorted(self._sys.glob("class/hwmon/hwmon*")):
            if text(chip / "name") == "rpi_volt" and text(chip / "in0_lcrit_alarm") == "1":
                yield "under-voltage"

    def _hot(self) -> Iterator[str]:
        for zone in sorted(self._sys.glob("class/thermal/thermal_zone*")):
            temp_c, limit_c = celsius(zone / "temp"), _lowest_trip_c(zone)
            if temp_c is not None and limit_c is not None and temp_c >= limit_c:
                yield f"{text(zone / 'type') or zone.name} is {temp_c:.0f} °C, and slows down at {limit_c:.0f} °C"


def _lowest_trip_c(zone: Path) -> float | None:
    trips = [
        celsius(kind.with_name(kind.name.replace("_type", "_temp")))
        for kind in zone.glob("trip_point_*_type")
        if text(kind) in _SLOWING_TRIPS
    ]
    return min((t for t in trips if t is not None and t > 0), default=None)
