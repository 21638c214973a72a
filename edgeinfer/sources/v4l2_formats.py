"""Which pixel formats and sizes a Video4Linux camera offers; opens it for that, and streams nothing.

Numbers are from the kernel's linux/videodev2.h: VIDIOC_ENUM_FMT, VIDIOC_ENUM_FRAMESIZES and their structures.
"""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Iterator
from typing import NamedTuple

from edgeinfer.sources.v4l2 import Ioctl, opened

_ENUM_FMT, _ENUM_FRAMESIZES = 0xC0405602, 0xC02C564A
_FORMAT = struct.Struct("3I32s2I12x")
_SIZE = struct.Struct("3I6I8x")
_BUFFERS = (1, 9)  # V4L2_BUF_TYPE_VIDEO_CAPTURE, …_CAPTURE_MPLANE
_DISCRETE = 1
_MOST = 64  # no camera has more; a driver that never says "no more" does not hold us


class Size(NamedTuple):
    """`format` is the four letters of the pixel format, such as "MJPG"."""

    format: str
    width_px: int
    height_px: int

    def __str__(self) -> str:
        return f"{self.width_px}x{self.height_px} {self.format}"


def sizes(path: str, ioctl: Ioctl = fcntl.ioctl) -> tuple[Size, ...]:
    """What the camera offers; of a range of sizes the largest. Empty when it says nothing.

    Raises:
        SourceLost: it cannot be opened; says why.
    """
    with opened(path) as fd:
        found = (Size(_letters(code), *size) for code in _formats(fd, ioctl) for size in _of(fd, code, ioctl))
        return tuple(dict.fromkeys(found))


def _formats(fd: int, ioctl: Ioctl) -> Iterator[int]:
    for buffer in _BUFFERS:
        for index in range(_MOST):
            answer = bytearray(_FORMAT.pack(index, buffer, 0, b"", 0, 0))
            try:
                ioctl(fd, _ENUM_FMT, answer)
            except OSError:
                break
            yield _FORMAT.unpack(answer)[4]


def _of(fd: int, code: int, ioctl: Ioctl) -> Iterator[tuple[int, int]]:
    for index in range(_MOST):
        answer = bytearray(_SIZE.pack(index, code, 0, *[0] * 6))
        try:
            ioctl(fd, _ENUM_FRAMESIZES, answer)
        except OSError:
            return
        _, _, kind, *size = _SIZE.unpack(answer)
        if kind != _DISCRETE:  # least, most and step of the width, then of the height
            yield size[1], size[4]
            return
        yield size[0], size[1]


def _letters(code: int) -> str:
    return code.to_bytes(4, "little").decode("ascii", "replace").strip()
