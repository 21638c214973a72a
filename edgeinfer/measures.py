"""What can be measured of a sample beside what a model finds in it: brightness, sharpness, readings; judges nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgeinfer.events import Frame, Readings

Measures = Mapping[str, tuple[float, ...]]

_GRID = 64  # points along each side: enough for a mean to one grey level, cheap at any size of picture
_ROWS = 16  # of a block of readings


def measured(sample: Frame | Readings) -> Measures:
    """`brightness` and `sharpness` of a picture, `channel:NAME` (up to 16 rows, evenly spaced) of readings.

    Brightness is the mean of the green channel, 0..255. Sharpness is the mean absolute difference of neighbours along a
    row (0..255), at full resolution on a grid: blur lowers it, whatever the size of the picture.
    """
    return _of_picture(sample) if isinstance(sample, Frame) else _of_readings(sample)


def _of_picture(frame: Frame) -> Measures:
    pixels = frame.pixels
    green = pixels[:, :, 1] if pixels.ndim == 3 else pixels
    down, across = max(1, green.shape[0] // _GRID), max(2, green.shape[1] // _GRID)
    here = green[::down, : green.shape[1] - 1 : across].astype(np.int16)
    if not here.size:
        return {}
    beside = green[::down, 1::across][:, : here.shape[1]]
    return {
        "brightness": (float(here.mean()),),
        "sharpness": (float(np.abs(here - beside).mean()),),
    }


def _of_readings(block: Readings) -> Measures:
    rows = block.values[:: max(1, len(block.values) // _ROWS)][:_ROWS]
    return {f"channel:{name}": tuple(rows[:, n].tolist()) for n, name in enumerate(block.channels)}
