"""Which board this is: its name, processor, kernel and memory; how it fares is runtime/board.py's business."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from pathlib import Path

from edgeinfer.devices.text import text

_KNOWN_NAMES = (
    "sys/firmware/devicetree/base/model",
    "proc/device-tree/model",
)  # Raspberry Pi, Jetson, most of Arm


@dataclass(frozen=True, slots=True)
class BoardModel:
    """`model` is "unknown" where neither devicetree nor firmware names it; memory in MB of 1,000,000 bytes."""

    model: str
    machine: str
    kernel: str
    memory_mb: int | None


def board_model(root: Path) -> BoardModel:
    named = next(filter(None, (text(root / name) for name in _KNOWN_NAMES)), "")
    dmi = [text(root / f"sys/class/dmi/id/{key}") for key in ("sys_vendor", "product_name")]
    return BoardModel(
        model=named or " ".join(filter(None, dmi)) or "unknown",
        machine=platform.machine(),
        kernel=text(root / "proc/sys/kernel/osrelease"),
        memory_mb=_memory_mb(text(root / "proc/meminfo")),
    )


def _memory_mb(meminfo: str) -> int | None:
    """`MemTotal: 1917508 kB` (proc(5); these kB have 1024 bytes)."""
    for line in meminfo.splitlines():
        words = line.split()
        if words[:1] == ["MemTotal:"] and len(words) > 1 and words[1].isdigit():
            return int(words[1]) * 1024 // 1_000_000
    return None
