"""Options that camera-like sources share, and the checks that can be made before any device is touched."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from edgeinfer.errors import InputError, nearest

Setting = float | Literal["auto"] | None


class Controls(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a camera can be told: a number in the driver's own unit, or "auto"; what is left out stays as it is.

    For V4L2 devices: `exposure` in 100 µs, `white_balance` in kelvin, `gain` and `focus` without unit.
    """

    exposure: Setting = None
    gain: Setting = None
    focus: Setting = None
    white_balance: Setting = None

    def wanted(self) -> dict[str, float | Literal["auto"]]:
        """Only what the user wrote."""
        settings = {name: getattr(self, name) for name in self.__struct_fields__}
        return {name: value for name, value in settings.items() if value is not None}


Rotation = Literal[0, 90, 180, 270]
Roi = tuple[float, float, float, float]
Size = tuple[int, int]


def check_roi(roi: Roi | None) -> None:
    """Raises InputError unless `roi` is a piece of the picture."""
    if roi is None:
        return
    x0, y0, x1, y1 = roi
    if not (0.0 <= x0 < x1 <= 1.0 and 0.0 <= y0 < y1 <= 1.0):
        raise InputError(
            f"roi: expected [left, top, right, bottom] with 0 <= left < right <= 1 and 0 <= top < bottom <= 1, "
            f"found {list(roi)}"
        )


def check_size(size: Size | None) -> None:
    if size is not None and not all(8 <= side <= 16_384 for side in size):
        raise InputError(f"size: expected [width, height] in pixels, 8 to 16384, found {list(size)}")


def check_fps(fps: float | None) -> None:
    if fps is not None and not 0.0 < fps <= 1000.0:
        raise InputError(f"fps: expected pictures per second, above 0 and up to 1000, found {fps}")


def check_one_of(name: str, found: str, known: Iterable[str]) -> None:
    known = list(known)
    if found not in known:
        raise InputError(
            f"{name}: expected one of {', '.join(known)}, found {found!r}{nearest(found, known)}"
        )


def block_s(read_s: float, fps: float | None) -> float:
    """The longest that one `next()` may block: a read, and the pause that the cap on `fps` asks for."""
    return read_s + (1.0 / fps if fps else 0.0)
