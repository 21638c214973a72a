"""The names under /dev that stay when a device gets another number; follows links, opens nothing."""

from __future__ import annotations

from pathlib import Path


def links(root: Path, folder: str) -> dict[str, str]:
    """Device ("ttyACM0", "video0") → its lasting name, as programs write it ("/dev/serial/by-id/…").

    Of several names of one device the first in the alphabet.
    """
    found: dict[str, str] = {}
    for link in sorted((root / folder).glob("*")):
        if link.is_symlink():
            found.setdefault(link.readlink().name, f"/{link.relative_to(root)}")
    return found
