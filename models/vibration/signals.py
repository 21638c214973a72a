"""Windows of simulated machines as features; used by training and by the test of the figures. No learning."""

import numpy as np

from edgeinfer.engine.window import features
from edgeinfer.sources.bearing import Bearing, any_machine
from edgeinfer.store import WindowOptions

OPTIONS = WindowOptions(length=2048, hop=2048, channels=("vibration",), rate_hz=12_800.0, features="bands")
CLIP = 12.0
"""Standard deviations: the range of the int8 input."""
TEST_MACHINES = range(600_000, 600_016)
"""Seeds of machines that training (which counts up from 0) never draws."""


def windows_of(seed: int, fault: str, severity: float, count: int) -> np.ndarray:
    """(count, 128) float32, unscaled, of one machine that the seed draws."""
    bearing = Bearing(any_machine(np.random.default_rng(seed)), OPTIONS.rate_hz, seed)
    bearing.fault, bearing.severity = fault, severity
    bearing.block(OPTIONS.length)
    return np.stack([features(bearing.block(OPTIONS.length)[:, None], OPTIONS) for _ in range(count)])
