"""Reads an MCUboot image: its version, its length, and the hash by which MCUboot knows it; pure, signs nothing.

Format: MCUboot, docs/design.md, "Image format", and boot/bootutil/include/bootutil/image.h.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from firmware_bridge.flash.errors import PackageError

MAGIC = 0x96F3_B83D
_TLV_MAGIC, _PROTECTED_MAGIC = 0x6907, 0x6908
_SHA256, _SHA384, _SHA512 = 0x10, 0x11, 0x12
_ENCRYPTED = 0x04 | 0x08  # header flags: AES-128, AES-256; the hash is then over what is not in the file
_HEADER = struct.Struct("<IIHHIIBBHI")  # magic, load, header, protected TLVs, size, flags, version
_TLV = struct.Struct("<HH")


@dataclass(frozen=True, slots=True)
class McubootImage:
    """`digest` is what `image list` of SMP shows for the slot that holds this image."""

    version: str
    digest: bytes


def is_mcuboot(raw: bytes) -> bool:
    """Whether `raw` begins as an MCUboot image."""
    return len(raw) >= 4 and int.from_bytes(raw[:4], "little") == MAGIC


def parse_mcuboot(raw: bytes, where: str) -> McubootImage:
    """The image that is the whole of `raw`.

    Raises:
        PackageError: no MCUboot image, cut off, padded to its slot, or its content does not have the hash it names.
    """
    if not is_mcuboot(raw):
        raise PackageError(
            f"{where}: expected an MCUboot image (0x{MAGIC:08x} at its beginning), found {raw[:4].hex() or 'nothing'}; "
            "sign it with imgtool, or take the build's signed.bin"
        )
    try:
        return _parse(raw, where)
    except struct.error as error:
        raise PackageError(
            f"{where}: the MCUboot image is cut off ({error}); build or copy it again"
        ) from error


def _parse(raw: bytes, where: str) -> McubootImage:
    _, _, header, protected, size, flags, major, minor, revision, build = _HEADER.unpack_from(raw)
    hashed, tlvs = header + size + protected, dict(_tlvs(raw, header + size, protected, where))
    if _SHA256 not in tlvs:
        other = {_SHA384: "SHA-384", _SHA512: "SHA-512"}.get(next(iter(tlvs.keys() & {_SHA384, _SHA512}), 0))
        found = f"a {other} instead" if other else "no hash at all"
        raise PackageError(f"{where}: expected the SHA-256 of the image in its trailer, found {found}")
    digest = tlvs[_SHA256]
    if not flags & _ENCRYPTED and sha256(raw[:hashed]).digest() != digest:
        raise PackageError(
            f"{where}: its content does not have the SHA-256 that its trailer names: changed after signing"
        )
    return McubootImage(f"{major}.{minor}.{revision}" + (f"+{build}" if build else ""), digest)


def _tlvs(raw: bytes, at: int, protected: int, where: str) -> Iterator[tuple[int, bytes]]:
    """(type, value) of all trailers; first the protected area where there is one, then the other."""
    for magic in (_PROTECTED_MAGIC, _TLV_MAGIC) if protected else (_TLV_MAGIC,):
        found, size = _TLV.unpack_from(raw, at)
        if found != magic:
            raise PackageError(
                f"{where}: expected a trailer (0x{magic:04x}) at 0x{at:x}, found 0x{found:04x}"
            )
        if size < _TLV.size or at + size > len(raw):
            raise PackageError(
                f"{where}: the MCUboot image is cut off in its trailer at 0x{at:x}: build it again"
            )
        yield from _entries(raw[at + _TLV.size : at + size])
        at += size
    if at != len(raw):
        raise PackageError(
            f"{where}: {len(raw) - at} bytes follow the image at 0x{at:x}: it is padded to its slot; "
            "sign it without --pad, the bootloader marks what it is to try"
        )


def _entries(area: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(area):
        kind, length = _TLV.unpack_from(area, at)
        yield kind & 0xFF, area[at + _TLV.size : at + _TLV.size + length]
        at += _TLV.size + length
