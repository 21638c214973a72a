"""What is kept while a board is flashed: the image that ran before, and a copy of the package in work."""

from __future__ import annotations

import os
from pathlib import Path
from secrets import token_hex

from firmware_bridge.flash import package as packages
from firmware_bridge.flash.before import Before, mixture, whole
from firmware_bridge.flash.errors import FlashError, PackageError
from firmware_bridge.flash.flasher import Flasher, Progress
from firmware_bridge.flash.image import ERASED, Image
from firmware_bridge.flash.journal import Run
from firmware_bridge.flash.manifest import word_of
from firmware_bridge.flash.order import Order
from firmware_bridge.flash.package import Package
from firmware_bridge.flash.running import Running
from firmware_bridge.flash.sources import Found


def keep_package(path: Path, package: Package, folder: Path) -> Path:
    """A copy of the package under its own digest, so that a broken run can be resumed without the original."""
    return _put(folder / "packages" / f"{package.digest[:16]}.efw", path.read_bytes())


def keep(
    order: Order,
    job: str,
    package: Package,
    flasher: Flasher,
    running: Running | None,
    broken: Run | None,
    progress: Progress,
) -> tuple[Before, Path | None]:
    """Reads back what the board holds and keeps it as a package; nothing where it is blank.

    Where a `broken` run left half of its image, what is kept is what that run had kept.

    Raises:
        FlashError: reading failed; nothing has been written yet.
    """
    image = flasher.read(order.port, progress)
    if image is None:
        return Before(running), None
    if broken is not None and _half_written(image, running, broken, package):
        old = _load(broken.backup)
        return Before(running, old, half_written=True), broken.backup if old else None
    if running is not None and running.length and not running.bootloader:
        image = _exact(order.port, image, running)
    path = _put(order.folder / "backups" / f"{job}.efw", _pack(image, running, package))
    return Before(running, packages.load(path)), path


def torn(running: Running, broken: Run) -> bool:
    """Whether a node that says HELLO runs neither what a broken run wrote nor what it had kept: probably half of it."""
    known = [one for one in (_load(broken.package), _load(broken.backup)) if one]
    return bool(running.length) and not running.bootloader and not whole(running, known)


def _half_written(image: Image, running: Running | None, broken: Run, package: Package) -> bool:
    """By CRC where the node has one, and by what flash holds: the name and version of a torn image look right."""
    known = [one for one in (_load(broken.package), _load(broken.backup), package) if one]
    if whole(running, known):
        return False
    parts = [part.content for one in known for part in one.images.values() if part.offset == image.offset]
    return mixture(image.content, parts)


def _exact(port: str, image: Image, running: Running) -> Image:
    content = image.content[: running.length].ljust(running.length, bytes([ERASED]))
    image = Image(image.offset, content)
    if image.crc32 != running.crc32:
        raise FlashError(
            f"{port}: what was read back has CRC {image.crc32:08x}, and the node says {running.crc32:08x}: "
            "no trustworthy copy; try again, or flash without one (--no-backup)"
        )
    return image


def _pack(image: Image, running: Running | None, package: Package) -> bytes:
    found = [Found("backup.bin", image)]
    said = running if running is not None and not running.bootloader else None
    manifest = packages.build(
        found,
        board=package.manifest.board,
        name=word_of(said.name) if said else "unknown",
        version=word_of(said.version) if said else "0",
        flasher=package.manifest.flasher,
        build_digest=word_of(said.build) if said and said.build else "",
        options=package.manifest.options,
    )
    return packages.pack(manifest, found)


def _load(path: Path | None) -> Package | None:
    """None where there is none any more: somebody cleared the folder."""
    try:
        return packages.load(path) if path else None
    except PackageError:
        return None


def _put(path: Path, content: bytes) -> Path:
    """Whole and on the medium, or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{token_hex(4)}.part")  # boards side by side keep the same package at once
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return path
