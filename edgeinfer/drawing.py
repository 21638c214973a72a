"""Draws findings into a picture with OpenCV; decides nothing and opens no file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.events import Detection, Finding, Keypoints, Region, Score, Value
from edgeinfer.geometry import Point

Pixels = NDArray[Any]
Colour = tuple[int, int, int]

_COLOURS: tuple[Colour, ...] = (
    (120, 200, 90), (60, 60, 235), (40, 170, 250), (220, 130, 60), (190, 80, 190), (200, 200, 60),
)  # fmt: skip  # BGR
_FONT, _WHITE, _ZONE = cv2.FONT_HERSHEY_SIMPLEX, (255, 255, 255), (0, 200, 255)


def drawn(pixels: Pixels, findings: Iterable[Finding]) -> Pixels:
    """A copy of the picture, (H, W, 3) uint8 BGR, with boxes, points and outlines; what has no place stands on top."""
    picture, row = pixels.copy(), 0
    for finding in findings:
        if isinstance(finding, Score | Value):
            row += 1
        _draw(picture, finding, row)
    return picture


def outlined(picture: Pixels, zones: Iterable[Sequence[Point]], lines: Iterable[Sequence[Point]]) -> None:
    """Zones (closed) and lines, normalised corners, drawn into the picture itself, (H, W, 3) uint8 BGR."""
    for closed, shapes in ((True, zones), (False, lines)):
        for shape in shapes:
            corners = np.array([_px(picture, point) for point in shape], np.int32)
            cv2.polylines(picture, [corners], isClosed=closed, color=_ZONE, thickness=2, lineType=cv2.LINE_AA)


def words(finding: Finding) -> str:
    """One finding as a line for a terminal."""
    if isinstance(finding, Value):
        return f"{finding.label} {finding.value:.4g} {finding.unit}".rstrip()
    place = ""
    if isinstance(finding, Detection):
        place = " at [" + ", ".join(f"{v:.3f}" for v in finding.box) + "]"
    return f"{finding.label} {finding.score:.3f}{place}"


def _draw(picture: Pixels, finding: Finding, row: int) -> None:
    colour = _COLOURS[crc32(finding.label.encode()) % len(_COLOURS)]
    corner = (0, 18 * row)
    if isinstance(finding, Detection):
        x0, y0, x1, y1 = (*_px(picture, finding.box[:2]), *_px(picture, finding.box[2:]))
        cv2.rectangle(picture, (x0, y0), (x1, y1), colour, 2, cv2.LINE_AA)
        corner = (x0, y0)
    elif isinstance(finding, Keypoints):
        for x, y, _ in finding.points:
            corner = _px(picture, (x, y))
            cv2.circle(picture, corner, 3, colour, cv2.FILLED, cv2.LINE_AA)
    elif isinstance(finding, Region):
        outline = np.array([_px(picture, point) for point in finding.outline], np.int32)
        cv2.polylines(picture, [outline], isClosed=True, color=colour, thickness=2, lineType=cv2.LINE_AA)
        corner = (int(outline[0][0]), int(outline[0][1])) if len(outline) else corner
    track = f" #{finding.track}" if finding.track is not None else ""
    _label(picture, words(finding).partition(" at ")[0] + track, corner, colour)


def _label(picture: Pixels, text: str, corner: tuple[int, int], colour: Colour) -> None:
    """Above the corner; below it where the picture ends."""
    (width, height), _ = cv2.getTextSize(text, _FONT, 0.45, 1)
    x, y = max(0, min(corner[0], picture.shape[1] - width - 6)), max(corner[1], height + 6)
    cv2.rectangle(picture, (x, y - height - 6), (x + width + 6, y), colour, cv2.FILLED)
    cv2.putText(picture, text, (x + 3, y - 4), _FONT, 0.45, _WHITE, 1, cv2.LINE_AA)


def _px(picture: Pixels, point: tuple[float, ...]) -> tuple[int, int]:
    return round(point[0] * picture.shape[1]), round(point[1] * picture.shape[0])
