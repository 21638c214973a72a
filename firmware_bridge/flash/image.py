"""An image as it is to lie in flash: one run of bytes at one address; pure, knows no file format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

from firmware_bridge.flash.errors import PackageError

ERASED = 0xFF  # what NOR flash reads as after an erase
_GAP_MAX = 1 << 20  # two segments farther apart than this are not one image


@dataclass(frozen=True, slots=True)
class Image:
    """`content` at `offset`, an absolute address in the board's memory map."""

    offset: int
    content: bytes

    @property
    def crc32(self) -> int:
        """CRC-32 (ISO-HDLC, as in zlib), the one that a node computes over its own flash."""
        return crc32(self.content)

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


def join(segments: Iterable[Image], where: str) -> Image:
    """One image from segments in any order; holes are filled with what erased flash reads as.

    Raises:
        PackageError: no segment, two that overlap, or a hole over 1 MB (segments of different memories).
    """
    ordered = sorted((s for s in segments if s.content), key=lambda s: s.offset)
    if not ordered:
        raise PackageError(f"{where}: expected an image, found no bytes to write; was it linked?")
    content = bytearray()
    first = end = ordered[0].offset
    for segment in ordered:
        if segment.offset < end:
            raise PackageError(f"{where}: bytes at 0x{segment.offset:x} are given twice; the file is damaged")
        if segment.offset - end > _GAP_MAX:
            raise PackageError(
                f"{where}: 0x{end:x} and 0x{segment.offset:x} are too far apart for one image; "
                "strip what does not belong into program flash (fuses, EEPROM, option bytes)"
            )
        content += bytes([ERASED]) * (segment.offset - end) + segment.content
        end = segment.offset + len(segment.content)
    return Image(first, bytes(content))
