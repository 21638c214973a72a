"""Draws the figures of `model bench` as bars with OpenCV; measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.cli.picture import saved, write
from edgeinfer.engine.bench import Measured

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 900, 190, 110, 70, 58  # px
_BARS = (("p50", (120, 170, 60)), ("p90", (60, 170, 240)), ("p99", (70, 80, 220)))  # BGR


def save(path: Path, title: str, rows: Sequence[tuple[str, Measured]]) -> None:
    """Writes the picture; raises EdgeinferError when it cannot be written."""
    saved(path, plot(title, rows))


def plot(title: str, rows: Sequence[tuple[str, Measured]]) -> NDArray[Any]:
    """A bar each for p50, p90 and p99 of every row, on one axis from zero: (H, 900, 3) uint8, BGR."""
    picture = np.full((_TOP + _ROW * len(rows) + 20, _WIDTH, 3), 255, np.uint8)
    write(picture, f"{title}: one invoke, ms", 16, 28, 0.6)
    for i, (name, colour) in enumerate(_BARS):
        cv2.rectangle(picture, (_LEFT + 90 * i, 42), (_LEFT + 90 * i + 12, 54), colour, cv2.FILLED)
        write(picture, name, _LEFT + 90 * i + 18, 53)
    longest = max((measured.p99_ms for _, measured in rows), default=1.0) or 1.0
    for i, (name, measured) in enumerate(rows):
        top = _TOP + _ROW * i
        write(picture, name, 16, top + 28)
        for k, (value, (_, colour)) in enumerate(zip(_values(measured), _BARS, strict=True)):
            end = _LEFT + max(1, round((_WIDTH - _LEFT - _RIGHT) * value / longest))
            cv2.rectangle(picture, (_LEFT, top + 15 * k), (end, top + 15 * k + 11), colour, cv2.FILLED)
            write(picture, f"{value:.3g}", end + 6, top + 15 * k + 11)
    return picture


def _values(measured: Measured) -> tuple[float, float, float]:
    return measured.p50_ms, measured.p90_ms, measured.p99_ms
