"""What a node says that it runs, and whether that proves a package; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from firmware_bridge.flash.package import Package

Proof = Literal["image", "build", "none"]
"""`image`: length and CRC-32 over its own flash are the package's. `build`: only its build digest is."""


@dataclass(frozen=True, slots=True)
class Running:
    """One HELLO. `length` 0 means that the node cannot hash its flash; `bootloader` that no firmware runs.

    `confirmed`: the running image stays over a reset; one on trial is rolled back (boards with two slots only).
    """

    board: str
    name: str
    version: str
    length: int = 0
    crc32: int = 0
    build: str = ""
    bootloader: bool = False
    confirmed: bool = True
    boot: int = 0  # changes with every start of the node

    def __str__(self) -> str:
        if self.bootloader:
            return f"only its bootloader ({self.name} {self.version} on {self.board})"
        proof = (
            f"{self.length} bytes, CRC {self.crc32:08x}"
            if self.length
            else f"build {self.build or 'unknown'}"
        )
        return f"{self.name} {self.version} on {self.board} ({proof})"


Hello = Callable[[str, float], Running | None]
"""`hello(port, timeout_s)`: asks until a node answers; None when none does. Opens and closes the port.

Raises FlashError when the port cannot be opened.
"""


def proof_of(package: Package, running: Running | None) -> Proof:
    """How well `running` proves that the node runs `package`; name and version prove nothing."""
    if running is None or running.bootloader:
        return "none"
    if running.length:
        same = any((p.length, p.crc32) == (running.length, running.crc32) for p in package.proofs())
        return "image" if same else "none"
    build = package.manifest.build
    return "build" if build and build == running.build else "none"


def same_image(before: Running | None, after: Running | None) -> bool:
    """Whether a node runs the very image that it ran before."""
    if before is None or after is None or after.bootloader:
        return False
    if before.length:
        return (before.length, before.crc32) == (after.length, after.crc32)
    return (before.build, before.version) == (after.build, after.version)
