"""Bring pictures into shape: cut out the region, turn, scale, and make BGR of a command's raw pixels.

It knows no device and no clock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import InputError
from edgeinfer.sources.options import Roi, Rotation, Size

Pixels = NDArray[Any]


@dataclass(frozen=True)
class Shape:
    """What is done to each picture: scaled to `size`, turned clockwise by `rotate` degrees, cut to `roi`.

    `roi` is given in the turned picture, as the user sees it (left, top, right, bottom; normalised); it is cut
    first, so that only what stays is turned. `size` is (width, height) of the whole picture before both.
    """

    size: Size | None = None
    rotate: Rotation = 0
    roi: Roi | None = None

    def __call__(self, pixels: Pixels) -> Pixels:
        """(H, W[, 3]) uint8 to the same kind; a view of `pixels` where nothing has to be computed."""
        if self.size is not None and self.size != (pixels.shape[1], pixels.shape[0]):
            pixels = _scaled(pixels, self.size)
        if self.roi is not None:
            pixels = _cut(pixels, unturned(self.roi, self.rotate))
        return _turned(pixels, self.rotate) if self.rotate else pixels


def unturned(roi: Roi, rotate: Rotation) -> Roi:
    """A region of the turned picture, as a region of the picture before it was turned."""
    x0, y0, x1, y1 = roi
    if rotate == 90:
        return y0, 1 - x1, y1, 1 - x0
    if rotate == 180:
        return 1 - x1, 1 - y1, 1 - x0, 1 - y0
    if rotate == 270:
        return 1 - y1, x0, 1 - y0, x1
    return roi


def _cut(pixels: Pixels, roi: Roi) -> Pixels:
    height, width = pixels.shape[:2]
    x0, y0 = min(round(roi[0] * width), width - 1), min(round(roi[1] * height), height - 1)
    x1, y1 = max(round(roi[2] * width), x0 + 1), max(round(roi[3] * height), y0 + 1)
    return pixels[y0:y1, x0:x1]


def _turned(pixels: Pixels, rotate: Rotation) -> Pixels:
    import cv2

    codes = {90: cv2.ROTATE_90_CLOCKWISE, 180: cv2.ROTATE_180, 270: cv2.ROTATE_90_COUNTERCLOCKWISE}
    return np.asarray(cv2.rotate(pixels, codes[rotate]))


def _scaled(pixels: Pixels, size: Size) -> Pixels:
    import cv2

    # INTER_AREA averages: shrinking with less leaves moiré that a detector takes for texture.
    shrinks = size[0] < pixels.shape[1]
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))


# --- raw pictures of a command ---------------------------------------------------------------------------

# pixel format (FFmpeg's names): bytes per picture = width * height * this / 2; code of cv2.cvtColor;
# sides that must be even; rows of the array over the picture's height, times 2.
_HALF_BYTES = {"yuv420": 3, "nv12": 3, "yuyv422": 4, "bgr24": 6, "rgb24": 6, "gray8": 2}
_CODES = {
    "yuv420": "COLOR_YUV2BGR_I420",
    "nv12": "COLOR_YUV2BGR_NV12",
    "yuyv422": "COLOR_YUV2BGR_YUY2",
    "rgb24": "COLOR_RGB2BGR",
}
RAW_FORMATS = tuple(_HALF_BYTES)


@dataclass(frozen=True)
class RawPicture:
    """How a command lays out one picture: `bytes` in all, and the way from them to BGR or grey."""

    size: Size
    pixel_format: str

    def __post_init__(self) -> None:
        width, height = self.size
        if self.pixel_format in {"yuv420", "nv12"} and (width % 2 or height % 2):
            raise InputError(
                f"size: {self.pixel_format} needs an even width and height, found {[width, height]}"
            )
        if self.pixel_format == "yuyv422" and width % 2:
            raise InputError(f"size: yuyv422 needs an even width, found {[width, height]}")

    @property
    def bytes(self) -> int:
        return self.size[0] * self.size[1] * _HALF_BYTES[self.pixel_format] // 2

    @property
    def copies(self) -> bool:
        """Whether the converter makes a picture of its own, so that one raw buffer serves for all."""
        return self.pixel_format in _CODES

    def shape(self) -> tuple[int, ...]:
        """Of the raw array that the converter takes, uint8."""
        width, height = self.size
        if self.pixel_format in {"yuv420", "nv12"}:
            return height * 3 // 2, width
        channels = _HALF_BYTES[self.pixel_format] // 2
        return (height, width) if channels == 1 else (height, width, channels)

    def converter(self) -> Callable[[Pixels], Pixels]:
        """From the raw array to BGR (or the same grey); imports cv2."""
        import cv2

        if not self.copies:
            return lambda raw: raw
        code = getattr(cv2, _CODES[self.pixel_format])
        return lambda raw: np.asarray(cv2.cvtColor(raw, code))
