"""Pictures to bytes and back; where the bytes lie is not known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgeinfer.events import Frame, Instant, Key

Form = Literal["png", "jpg"]

_PNG_LEVEL = 1  # lossless but quick
JPG_QUALITY = 95  # hardly visible


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame whose pixels are compressed already."""

    key: Key
    at: Instant
    data: bytes
    form: Form


def compressed(frame: Frame, form: Form, quality: int = JPG_QUALITY) -> Picture:
    """The frame as PNG, or as JPEG of `quality` (1 to 100).

    Raises:
        ValueError: OpenCV cannot write these pixels.
    """
    import cv2

    if form == "png":
        options = [cv2.IMWRITE_PNG_COMPRESSION, _PNG_LEVEL]
    else:
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    done, data = cv2.imencode(f".{form}", frame.pixels, options)
    if not done:
        raise ValueError(f"OpenCV cannot write {frame.key} as {form}")
    return Picture(frame.key, frame.at, bytes(data), form)


def frame_of(key: Key, at: Instant, data: bytes) -> Frame | None:
    """The frame with the pixels of a PNG or JPEG; None where they cannot be read."""
    import cv2
    import numpy as np

    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED) if data else None
    return None if pixels is None else Frame(key, at, pixels)
