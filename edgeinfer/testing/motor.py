"""A motor on a bearing that fails, as a simulated node on a pseudo-terminal: the demo's sensor, and the tests'."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgeinfer.sources.bearing import Bearing, Machine
from firmware_bridge.simulator import Firmware, Line, Node, Stream
from firmware_bridge.simulator.node import channels, rows_in

RATE_HZ = 12_800.0
_FULL_SCALE_G = 16.0  # of a usual MEMS accelerometer
_SCALE = _FULL_SCALE_G / 32_768
_MAX_FRAME = 512


class FailingBearing:
    """Raw samples of one channel, i16: sound for `fails_after_s`, then a fault of the outer race that grows."""

    def __init__(self, fails_after_s: float, grows_s: float = 3.0, seed: int = 0) -> None:
        self._bearing, self._after_s, self._grows_s = (
            Bearing(Machine(), RATE_HZ, seed),
            fails_after_s,
            grows_s,
        )

    def __call__(self, first: int, rows: int) -> bytes:
        failing_s = first / RATE_HZ - self._after_s
        if failing_s > 0:
            self._bearing.fault = "outer"
            self._bearing.severity = min(failing_s / self._grows_s, 1.0)
        raw = np.clip(np.rint(self._bearing.block(rows) / _SCALE), -32_768, 32_767)
        return raw.astype("<i2").tobytes()


def motor_node(fails_after_s: float) -> Node:
    """The node of one accelerometer, 12,800 samples a second in g; its time starts when its readings do."""
    rows = rows_in(_MAX_FRAME, row_bytes=2)
    described = tuple(channels([("vibration", "g")], kind=3, scale=_SCALE, rate_hz=RATE_HZ))
    stream = Stream(described, FailingBearing(fails_after_s), rows)
    return Node(Firmware("press-vibration", "1.0.0"), (stream,), max_frame=_MAX_FRAME)


def motor(folder: Path, fails_after_s: float) -> Line:
    """The node behind a port in `folder`; close it."""
    return Line([motor_node(fails_after_s)], folder / "motor")
