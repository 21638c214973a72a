"""Formats and sizes, from a camera that answers as the kernel does."""

from __future__ import annotations

import errno
import struct

import pytest

from edgeinfer.errors import SourceLost
from edgeinfer.sources.v4l2_formats import sizes

MJPG = int.from_bytes(b"MJPG", "little")


def camera(offers, kind=1):
    """`offers`: what VIDIOC_ENUM_FRAMESIZES answers for MJPG, index by index."""

    def ioctl(_fd, request, answer):
        index, second = struct.unpack_from("2I", answer)
        if request & 0xFF == 2:
            if index or second != 1:
                raise OSError(errno.EINVAL, "no more")
            struct.pack_into("I", answer, 44, MJPG)
        else:
            if second != MJPG or index >= len(offers):
                raise OSError(errno.EINVAL, "no more")
            struct.pack_into(f"{1 + len(offers[index])}I", answer, 8, kind, *offers[index])

    return ioctl


def test_each_size_of_a_format_is_listed() -> None:
    found = sizes("/dev/null", camera([(640, 480), (1920, 1080)]))
    assert [str(size) for size in found] == ["640x480 MJPG", "1920x1080 MJPG"]


def test_of_a_range_the_largest_is_listed() -> None:
    found = sizes("/dev/null", camera([(16, 2592, 8, 16, 1944, 8)], kind=3))
    assert [str(size) for size in found] == ["2592x1944 MJPG"]


def test_a_camera_that_says_nothing_has_no_sizes() -> None:
    assert sizes("/dev/null", camera([])) == ()


def test_no_camera_is_told() -> None:
    with pytest.raises(SourceLost, match="no such device"):
        sizes("/dev/video93", camera([]))
