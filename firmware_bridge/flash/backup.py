"""What is kept while a board is flashed: the image that ran before, and a copy of the package in work."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from firmware_bridge.flash import package as packages
from firmware_bridge.flash.errors import FlashError
from firmware_bridge.flash.flasher import Flasher, Progress
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.manifest import word_of
from firmware_bridge.flash.order import Order
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.running import Running
from firmware_bridge.flash.sources import Found


def keep_package(path: Path, package: Package, folder: Path) -> Path:
    """A copy of the package under its own digest, so that a broken run can be resumed without the original."""
    return _put(folder / "packages" / f"{package.digest[:16]}.efw", path.read_bytes())


def take(
    order: Order, job: str, package: Package, flasher: Flasher, before: Running | None, progress: Progress
) -> Path | None:
    """Reads back what the board holds and keeps it as a package; None when it is blank or already half-written.

    Raises:
        FlashError: reading failed; nothing has been written yet.
    """
    image = flasher.read(order.port, progress)
    if image is None:
        return None
    if before is not None and before.length:
        image = Image(image.offset, image.content[: before.length].ljust(before.length, b"\xff"))
        if image.crc32 != before.crc32:
            raise FlashError(
                f"{order.port}: what was read back has CRC {image.crc32:08x}, and the node says {before.crc32:08x}: "
                "no trustworthy copy; try again, or flash without one (--no-backup)"
            )
    found = [Found("backup.bin", image)]
    manifest = packages.build(
        found,
        board=package.manifest.board,
        name=word_of(before.name) if before else "unknown",
        version=word_of(before.version) if before else "0",
        flasher=package.manifest.flasher,
        build_digest=word_of(before.build) if before and before.build else "",
        options=package.manifest.options,
    )
    return _put(order.folder / "backups" / f"{job}.efw", packages.pack(replace(manifest), found))


def _put(path: Path, content: bytes) -> Path:
    """Whole and on the medium, or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return path
