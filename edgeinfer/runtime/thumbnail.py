"""A small JPEG of the picture that a decision was made on, with the boxes; for people who look at a phone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgeinfer.events import Finding, box_of
from edgeinfer.recording import Picture

MAX_BYTES = 10_000
_WIDTHS = (320, 240, 160, 96)  # px
_QUALITIES = (75, 55, 35)
_YELLOW = (40, 210, 250)  # BGR


def thumbnail(picture: Picture, findings: Sequence[Finding]) -> bytes:
    """The largest of a few sizes that has at most 10 kB; the smallest where none has."""
    import cv2

    pixels: Any = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)  # ours: readable
    height, width = pixels.shape[:2]
    data = b""
    for wide in _WIDTHS:
        size = min(wide, width), max(1, round(height * min(wide, width) / width))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
        for finding in findings:
            if (box := box_of(finding)) is not None:
                corners = [round(v * side) for v, side in zip(box, (*size, *size), strict=True)]
                cv2.rectangle(small, tuple(corners[:2]), tuple(corners[2:]), _YELLOW, 1)
        for quality in _QUALITIES:
            data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
            if len(data) <= MAX_BYTES:
                return data
    return data
