"""From what a build leaves behind to images: hex, elf, bin, ESP-IDF's flasher_args.json, MCUboot's signed image."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firmware_bridge.flash.elf import read_elf
from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.hexfile import read_hex
from firmware_bridge.flash.image import Image
from firmware_bridge.flash.manifest import word_of
from firmware_bridge.flash.mcuboot_image import McubootImage, is_mcuboot, parse_mcuboot


@dataclass(frozen=True, slots=True)
class Found:
    """One image of a build; `proof` marks the one that a node hashes and reports in HELLO."""

    file: str
    image: Image
    slot: str = ""
    proof: bool = True
    mcuboot: McubootImage | None = None  # where it is an image for MCUboot
    chip: str = ""  # where the build says for which it is; esptool's name


def gather(path: Path, offset: int | None = None, slot: str = "") -> Sequence[Found]:
    """The images that `path` holds or names, by its ending; `offset` is needed for a plain .bin.

    A folder is that of an ESP-IDF build, with flasher_args.json in it.

    Raises:
        PackageError: the file is absent, broken, or of an unknown kind.
    """
    if path.is_dir():
        path /= "flasher_args.json"
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
    mcuboot = parse_mcuboot(image.content, path.name) if is_mcuboot(image.content) else None
    return [Found(_file(path.stem), image, slot, mcuboot=mcuboot)]


def _file(stem: str) -> str:
    """The name of an image inside of a package."""
    return f"{word_of(stem)[:60]}.bin"


def _bin_offset(path: Path, raw: bytes, offset: int | None) -> int:
    if is_mcuboot(raw):
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
        app, chip = str(spec["app"]["file"]), str(spec.get("extra_esptool_args", {}).get("chip", ""))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackageError(
            f"{path}: expected ESP-IDF's flasher_args.json with flash_files and app, found {_wrong(error)}"
        ) from error
    if app not in files.values():
        raise PackageError(f"{path}: app is {app!r}, and flash_files does not name it")
    return [
        Found(_file(Path(name).stem), Image(at, _bytes(path.parent / name)), proof=name == app, chip=chip)
        for at, name in sorted(files.items())
    ]


def _wrong(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"at line {error.lineno} column {error.colno}: {error.msg}"
    return f"no {error}" if isinstance(error, KeyError) else str(error)


def _bytes(path: Path) -> bytes:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise PackageError(f"{path}: {error.strerror}; is the path right, and was it built?") from error
    if not raw:
        raise PackageError(f"{path}: the file is empty; build it again")
    return raw


def _text(raw: bytes, path: Path) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as error:
        raise PackageError(
            f"{path}: expected Intel HEX, found a byte that is no text at offset {error.start}"
        ) from error
