"""From what a build leaves behind to images: hex, elf, bin, ESP-IDF's flasher_args.json, MCUboot's signed image."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.flash.elf import read_elf
from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.hexfile import read_hex
from firmware_bridge.flash.image import Image

_MCUBOOT_MAGIC = 0x96F3B83D  # image.h of MCUboot, IMAGE_MAGIC
_MCUBOOT_HEADER = struct.Struct("<IIHHIIBBHI")  # magic, load, header, protected TLVs, size, flags, version


@dataclass(frozen=True, slots=True)
class Found:
    """One image of a build; `proof` marks the one that a node hashes and reports in HELLO."""

    file: str
    image: Image
    slot: str = ""
    proof: bool = True


def gather(path: Path, offset: int | None = None, slot: str = "") -> Sequence[Found]:
    """The images that `path` holds or names, by its ending; `offset` is needed for a plain .bin.

    Raises:
        PackageError: the file is absent, broken, or of an unknown kind.
    """
    raw, suffix = _bytes(path), path.suffix.lower()
    if suffix == ".json":
        return _esp_idf(path, raw)
    if suffix in {".hex", ".ihex", ".ihx"}:
        image = read_hex(_text(raw, path), path.name)
    elif suffix in {".elf", ".axf"} or raw[:4] == b"\x7fELF":
        image = read_elf(raw, path.name)
    elif suffix == ".bin":
        image = Image(_bin_offset(path, raw, offset), raw)
    else:
        raise PackageError(
            f"{path}: expected .hex, .elf, .bin or flasher_args.json, found {suffix or 'no ending'}"
        )
    return [Found(f"{path.stem}.bin", image, slot)]


def mcuboot_version(raw: bytes) -> str | None:
    """Such as 1.2.3+4, from an MCUboot header; None when this is no MCUboot image."""
    if len(raw) < 28 or int.from_bytes(raw[:4], "little") != _MCUBOOT_MAGIC:
        return None
    major, minor, revision, build = _MCUBOOT_HEADER.unpack_from(raw)[-4:]
    return f"{major}.{minor}.{revision}" + (f"+{build}" if build else "")


def _bin_offset(path: Path, raw: bytes, offset: int | None) -> int:
    if not raw:
        raise PackageError(f"{path}: the file is empty; build it again")
    if mcuboot_version(raw) is not None:
        return offset or 0  # MCUboot itself knows where its slots are
    if offset is None:
        raise PackageError(
            f"{path}: a .bin does not say where it belongs; add --offset, for instance --offset 0x08000000"
        )
    return offset


def _esp_idf(path: Path, raw: bytes) -> Sequence[Found]:
    """`flash_files` maps "0x10000" to a file beside the json; `app` names the part that HELLO reports."""
    try:
        spec = json.loads(raw)
        files = {int(at, 0): str(name) for at, name in spec["flash_files"].items()}
        app = str(spec["app"]["file"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackageError(
            f"{path}: expected ESP-IDF's flasher_args.json with flash_files and app, found {error!r}"
        ) from error
    found = []
    for at, name in sorted(files.items()):
        content = _bytes(path.parent / name)
        found.append(Found(Path(name).name, Image(at, content), proof=name == app))
    if not any(one.proof for one in found):
        raise PackageError(f"{path}: app is {app!r}, and flash_files does not name it")
    return found


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path}: {error.strerror}; is the path right, and was it built?") from error


def _text(raw: bytes, path: Path) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise PackageError(f"{path}: expected Intel HEX, found bytes that are no text") from error
