"""Pictures of a folder as frames; what is in them is not known here."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeinfer.errors import InputError
from edgeinfer.events import Frame, Instant

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

NEVER = Instant("", 0, 0)
"""The moment of what is no event."""


def is_picture(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES


def pictures_in(folder: Path) -> list[Path]:
    """All pictures below `folder`, sorted."""
    return sorted(path for path in folder.rglob("*") if is_picture(path) and path.is_file())


def frame_of(path: Path) -> Frame:
    """One picture, BGR.

    Raises:
        InputError: it is missing, or no picture that OpenCV reads.
    """
    import cv2

    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if pixels is None:
        raise InputError(f"{path}: is no picture that OpenCV can read")
    return Frame((path.name, 0), NEVER, np.asarray(pixels))
