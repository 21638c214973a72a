"""Whether this user may open a device, and whose it is; opens nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from firmware_bridge.port import group, holders

May = Callable[[Path], bool]


def may_open(path: Path) -> bool:
    """For reading and writing, as cameras, serial ports and accelerators want it."""
    return os.access(path, os.R_OK | os.W_OK)


def missing_group(path: Path, may: May = may_open) -> str:
    """The group that this user lacks to open `path`; "" when it may, or when there is no such device."""
    return "" if not path.exists() or may(path) else group(path)


def trouble(root: Path, node: Path, may: May = may_open) -> str:
    """Why `node` cannot be opened now: a group, or a program that has it; "" when nothing is known against it."""
    if lacking := missing_group(node, may):
        return f"this user may not open it: it belongs to the group {lacking}"
    busy = ", ".join(holders(str(node), proc=root / "proc"))
    return f"open in {busy}" if busy else ""
