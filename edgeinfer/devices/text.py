"""One line of a file of the kernel; knows nothing of what it means."""

from __future__ import annotations

from pathlib import Path


def text(path: Path) -> str:
    """What stands in the file, without its end (devicetree ends with NUL); "" when it cannot be read."""
    try:
        return path.read_text(errors="replace").strip(" \t\r\n\0")
    except OSError:
        return ""


def number(path: Path) -> float | None:
    """The number in the file; None when there is none."""
    try:
        return float(text(path))
    except ValueError:
        return None
