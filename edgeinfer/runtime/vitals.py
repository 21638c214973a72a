"""How the board itself is: heat, power, memory, disk, wear, clock; and from where on that is worth a word. Reads only.

Sources: proc(5) (meminfo in kB, status VmRSS in kB); JESD84-B51 7.4.86 and 7.4.88 (eMMC life_time: 0x01 is 0 to 10 %
of its life used, 0x0A is 90 to 100 %, 0x0B is beyond; pre_eol_info: 2 is warning, 3 is urgent).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.clock import is_synced
from edgeinfer.runtime.board import Board
from edgeinfer.runtime.sysfs import power_mw, text

_HOT_C = (
    80.0  # a Pi 4 and 5 begin to slow down here (raspberrypi.com, "Frequency management and thermal control")
)
_COOL_C = 75.0
_DISK_SHARE, _DISK_WELL_SHARE = 0.05, 0.07
_MEMORY_SHARE, _MEMORY_WELL_SHARE = 0.05, 0.08
_WORN_SHARE = 0.9
_ENDING = 2  # pre_eol_info: 80 % of the spare blocks are used

Topics = Mapping[str, str | None]
"""Topic → what is wrong, or None where it is well: what a `Report` takes."""


@dataclass(frozen=True, slots=True)
class Vitals:
    """The board at one moment; None where it does not tell. Shares are 0 to 1."""

    temp_c: float | None
    power_w: float | None
    throttled: bool
    under_voltage: bool
    memory_total_bytes: int | None
    memory_available_bytes: int | None
    resident_bytes: int | None  # of this process
    disk_total_bytes: int | None
    disk_free_bytes: int | None
    worn_share: (
        float | None
    )  # of the life of the eMMC or card; its standard tells tenths, this is the upper end
    spare_state: int | None  # pre_eol_info: 1 normal, 2 warning, 3 urgent
    clock_synced: bool

    def gauges(self) -> dict[str, float]:
        """Name → number, of all that is known; for `health` and metrics."""
        found = {name: getattr(self, name) for name in self.__slots__}
        return {name: float(value) for name, value in found.items() if value is not None}


def read(folder: Path, root: Path = Path("/"), synced: Callable[[], bool] = is_synced) -> Vitals:
    """Looks once; some dozen small files, about a millisecond.

    Args:
        folder: on the disk that is judged; the state folder.
        root: where sys and proc are; "/" but in tests.
        synced: whether NTP or a GPS disciplines the clock.
    """
    board, power = Board(root), power_mw(root / "sys")
    total, free = _disk(folder)
    worn, spare = _wear(root / "sys")
    memory = root / "proc/meminfo"
    return Vitals(
        temp_c=board.temp_c(),
        power_w=None if power is None else power / 1000,
        throttled=board.throttles() is not None,
        under_voltage=board.under_voltage(),
        memory_total_bytes=_kilobytes(memory, "MemTotal"),
        memory_available_bytes=_kilobytes(memory, "MemAvailable"),
        resident_bytes=_kilobytes(root / "proc/self/status", "VmRSS"),
        disk_total_bytes=total,
        disk_free_bytes=free,
        worn_share=worn,
        spare_state=spare,
        clock_synced=synced(),
    )


def concerns(seen: Vitals, before: Topics, folder: Path) -> Topics:
    """What is worth a word; texts stand still while it lasts, so that health and log are not flooded.

    Args:
        seen: the board now.
        before: what was said last; what was wrong is well again only some way beyond its threshold.
        folder: the state folder, named to the reader.
    """
    return {
        "heat": _heat(seen, was=before.get("heat") is not None),
        "supply": "under-voltage: use a stronger supply or a shorter cable" if seen.under_voltage else None,
        "disk": _disk_words(seen, folder, was=before.get("disk") is not None),
        "memory": _memory_words(seen, was=before.get("memory") is not None),
        "wear": _wear_words(seen),
    }


def _heat(seen: Vitals, *, was: bool) -> str | None:
    if seen.temp_c is None or seen.temp_c < (_COOL_C if was else _HOT_C):
        return None
    return f"hot: {_HOT_C:.0f} °C or more, well again under {_COOL_C:.0f} °C; give it air or a heat sink"


def _disk_words(seen: Vitals, folder: Path, *, was: bool) -> str | None:
    share = _share(seen.disk_free_bytes, seen.disk_total_bytes)
    if share is None or share >= (_DISK_WELL_SHARE if was else _DISK_SHARE):
        return None
    return f"the disk of {folder} is nearly full: less than {_DISK_SHARE:.0%} is free; make room on it"


def _memory_words(seen: Vitals, *, was: bool) -> str | None:
    share = _share(seen.memory_available_bytes, seen.memory_total_bytes)
    if share is None or share >= (_MEMORY_WELL_SHARE if was else _MEMORY_SHARE):
        return None
    return f"memory is short: less than {_MEMORY_SHARE:.0%} is available; run less on this board"


def _wear_words(seen: Vitals) -> str | None:
    if (seen.worn_share or 0) < _WORN_SHARE and (seen.spare_state or 0) < _ENDING:
        return None
    return "the eMMC or card says that it comes to the end of its life: replace it, or this device, soon"


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole


def _disk(folder: Path) -> tuple[int | None, int | None]:
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None, None
    return usage.total, usage.free


def _wear(sys: Path) -> tuple[float | None, int | None]:
    """The worst of all eMMC; plain SD cards tell nothing, and most USB sticks neither."""
    lives, spares = [], []
    for device in sys.glob("class/mmc_host/mmc*/mmc*:*"):
        lives += [int(word, 16) for word in text(device / "life_time").split() if _is_hex(word)]
        spares += [int(word, 16) for word in text(device / "pre_eol_info").split() if _is_hex(word)]
    worst = max(lives, default=0)  # 0 is "not defined"
    return (min(worst, 11) / 10 if worst else None), max(spares, default=0) or None


def _is_hex(word: str) -> bool:
    try:
        int(word, 16)
    except ValueError:
        return False
    return True


def _kilobytes(path: Path, key: str) -> int | None:
    for line in text(path).splitlines():
        name, _, value = line.partition(":")
        if name == key and value.split() and value.split()[0].isdigit():
            return int(value.split()[0]) * 1024
    return None
