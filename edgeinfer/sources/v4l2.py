"""Ask a Video4Linux device what it is, and set its controls; pictures are OpenCV's business.

Numbers are from the kernel's linux/videodev2.h and v4l2-controls.h (the same on every 64-bit Linux). V4L2 lets a
second file descriptor set controls while the first one streams, so this works beside OpenCV, whose own
properties hide ranges and errors and know no automatic gain.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal, NamedTuple

from edgeinfer.errors import SourceLost

Ioctl = Callable[[int, int, bytearray], object]

_QUERYCAP, _G_CTRL, _S_CTRL, _QUERYCTRL = 0x80685600, 0xC008561B, 0xC008561C, 0xC0445624
_CAPABILITY = struct.Struct("16s32s32s3I12x")
_CONTROL = struct.Struct("Ii")
_QUERY = struct.Struct("II32s4i3I")
_CAPTURE, _CAPTURE_MPLANE, _DEVICE_CAPS = 0x1, 0x1000, 0x80000000
_DISABLED, _READ_ONLY = 0x1, 0x4


class _Automatic(NamedTuple):
    """The control that switches between hand and automatic: its id, and the values for either."""

    id: int
    manual: int
    automatic: tuple[int, ...]


# name: (control, its switch). Exposure: 3 is aperture priority, what most USB cameras call automatic; 0 is full.
_CONTROLS = {
    "exposure": (0x9A0902, _Automatic(0x9A0901, 1, (3, 0))),
    "gain": (0x980913, _Automatic(0x980912, 0, (1,))),
    "focus": (0x9A090A, _Automatic(0x9A090C, 0, (1,))),
    "white_balance": (0x98091A, _Automatic(0x98090C, 0, (1,))),
}

_WHY = {
    errno.ENOENT: "no such device {path}: is the camera plugged in? `ls -l /dev/v4l/by-id` lists what is there",
    errno.EACCES: "not allowed to open {path}: the daemon's user must be in the group `video`",
    errno.EBUSY: "{path} is busy: another program uses the camera (`fuser -v {path}` names it)",
    errno.ENODEV: "no such device {path}: its driver is loaded, but the camera is gone",
    errno.ENXIO: "no such device {path}: its driver is loaded, but the camera is gone",
}


def lost(path: str, error: OSError) -> SourceLost:
    why = _WHY.get(error.errno or 0)
    return SourceLost(why.format(path=path) if why else f"cannot open {path}: {error.strerror}")


def require_camera(path: str, ioctl: Ioctl = fcntl.ioctl) -> None:
    """Raises SourceLost, with the reason, unless `path` is a device that gives pictures."""
    with opened(path) as fd:
        answer = bytearray(_CAPABILITY.size)
        try:
            ioctl(fd, _QUERYCAP, answer)
        except OSError as error:
            if error.errno in {errno.ENOTTY, errno.EINVAL}:
                raise SourceLost(f"{path} is not a camera (it does not speak Video4Linux)") from None
            raise lost(path, error) from None
        (
            *_,
            whole,
            device,
        ) = _CAPABILITY.unpack(answer)
        if not (device if whole & _DEVICE_CAPS else whole) & (_CAPTURE | _CAPTURE_MPLANE):
            card = answer[16:48].rstrip(b"\0").decode(errors="replace")
            raise SourceLost(
                f"{path} ({card}) is not a camera: it gives no pictures (metadata or output); "
                "the same camera often has another /dev/video number"
            )


@contextmanager
def opened(path: str) -> Iterator[int]:
    try:
        if not stat.S_ISCHR(Path(path).stat().st_mode):
            raise SourceLost(f"{path} is not a camera (it is no device)")
        fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise lost(path, error) from None
    try:
        yield fd
    finally:
        os.close(fd)


def apply_controls(
    path: str, wanted: Mapping[str, float | Literal["auto"]], ioctl: Ioctl = fcntl.ioctl
) -> list[str]:
    """Sets the controls and reads them back.

    Returns:
        One sentence for each that the camera did not take, with what it would take.
    """
    if not wanted:
        return []
    with opened(path) as fd:
        device = _Device(fd, ioctl)
        found = (device.apply(name, value) for name, value in wanted.items())
        return [complaint for complaint in found if complaint]


class _Device:
    def __init__(self, fd: int, ioctl: Ioctl) -> None:
        self._fd, self._ioctl = fd, ioctl

    def apply(self, name: str, value: float | Literal["auto"]) -> str | None:
        control, switch = _CONTROLS[name]
        if value == "auto":
            done = any(self._set(switch.id, v) == v for v in switch.automatic)
            return None if done else f'{name}: asked for "auto", the camera has no automatic {name}'
        self._set(switch.id, switch.manual)  # a camera without a switch is always in manual
        asked, got = round(value), self._set(control, round(value))
        if got == asked:
            return None
        return f"{name}: asked for {asked}, the camera {self._says(control, got)}"

    def _set(self, control: int, value: int) -> int | None:
        """Returns what the control has afterwards, or None where there is no such control."""
        with suppress(OSError):  # what it has now tells more than the reason
            self._ioctl(self._fd, _S_CTRL, bytearray(_CONTROL.pack(control, value)))
        answer = bytearray(_CONTROL.pack(control, 0))
        try:
            self._ioctl(self._fd, _G_CTRL, answer)
        except OSError:
            return None
        return int(_CONTROL.unpack(answer)[1])

    def _says(self, control: int, got: int | None) -> str:
        query = bytearray(_QUERY.pack(control, 0, b"", 0, 0, 0, 0, 0, 0, 0))
        try:
            self._ioctl(self._fd, _QUERYCTRL, query)
        except OSError:
            return "has no such control"
        _, _, _, least, most, step, _, flags, *_ = _QUERY.unpack(query)
        if flags & (_DISABLED | _READ_ONLY):
            return "does not let it be set"
        return f"has {got} (it takes {least} to {most} in steps of {step})"
