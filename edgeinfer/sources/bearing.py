"""The vibration of a machine on a deep-groove ball bearing, sound or with a fault that grows; numbers only.

Pure: the same seed gives the same signal, whatever the size of the blocks asked for.

Source: McFadden and Smith (1984), "Model for the vibration produced by a single point defect in a rolling element
bearing": impulses at the defect's frequency, weighted by the load, ring at a resonance of the structure. Geometry:
SKF 6205 (9 balls of 7.94 mm on a pitch circle of 39.04 mm).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Fault = Literal["none", "outer", "inner", "ball", "imbalance", "looseness"]
FAULTS: tuple[Fault, ...] = ("outer", "inner", "ball", "imbalance", "looseness")

_BALLS, _RATIO = 9, 7.94 / 39.04
CAGE = (1 - _RATIO) / 2
"""Turns of the cage for one of the shaft; the following are strikes for one turn of the shaft."""
STRIKES = {"outer": _BALLS * CAGE, "inner": _BALLS * (1 + _RATIO) / 2, "ball": (1 - _RATIO**2) / _RATIO}
"""A point on a ball strikes both races: twice the frequency of its spin."""
_SLIP = 0.01  # balls slide: strikes come up to some percent early or late
_RING = 512  # samples: the ringing has died down by then
_HARMONICS = np.arange(1, 11)


@dataclass(frozen=True, slots=True)
class Machine:
    """What differs between two machines of one kind; accelerations in g, frequencies in Hz."""

    shaft_hz: float = 29.5
    resonance_hz: float = 3600.0
    damping: float = 0.05
    noise_g: float = 0.05
    shaft_g: float = 0.08
    strike_g: float = 1.6


def any_machine(rng: np.random.Generator) -> Machine:
    """A machine drawn from the ranges that the vibration model is trained on."""
    return Machine(
        shaft_hz=float(rng.uniform(20, 50)),
        resonance_hz=float(rng.uniform(2500, 4800)),
        damping=float(rng.uniform(0.03, 0.08)),
        noise_g=float(rng.uniform(0.03, 0.08)),
        shaft_g=float(rng.uniform(0.04, 0.12)),
        strike_g=float(rng.uniform(1.2, 2.0)),
    )


class Bearing:
    """One machine as it runs, sample after sample; `fault` and `severity` may change at any time."""

    def __init__(self, machine: Machine, rate_hz: float = 12_800.0, seed: int = 0) -> None:
        self._machine, self._rate = machine, rate_hz
        self._noise, self._slips = (np.random.default_rng((seed, k)) for k in range(2))
        self._phases = self._slips.uniform(0, 2 * math.pi, len(_HARMONICS) + 1)
        self._count, self._strike = 0, 0.0  # samples so far; turns of the shaft at the next strike
        self._tail: Array = np.zeros(_RING - 1)
        self._ring = self._ringing()
        self.fault: Fault = "none"
        self.severity = 0.0

    def block(self, n: int) -> Array:
        """The next `n` samples, (n,) float64, in g."""
        turns = (self._count + np.arange(n)) * self._machine.shaft_hz / self._rate
        self._count += n
        quiet = self._noise.normal(0.0, self._machine.noise_g, n)
        struck: Array = np.convolve(self._strikes(turns), self._ring)
        struck[: _RING - 1] += self._tail
        self._tail = struck[n:]
        return np.asarray(quiet + self._shaft(turns) + struck[:n])

    def _ringing(self) -> Array:
        """Response to a unit impulse, peak near 1."""
        t = np.arange(_RING) / self._rate
        omega = 2 * math.pi * self._machine.resonance_hz
        return np.asarray(np.exp(-self._machine.damping * omega * t) * np.sin(omega * t))

    def _shaft(self, turns: Array) -> Array:
        """Harmonics of the shaft: imbalance raises the first, looseness all, and brings in half the first."""
        amplitudes = self._machine.shaft_g / _HARMONICS**1.5
        half = 0.0
        if self.fault == "imbalance":
            amplitudes[0] *= 1 + 4 * self.severity
        if self.fault == "looseness":
            amplitudes *= 1 + 2.5 * self.severity * np.sqrt(_HARMONICS - 1.0)
            half = self._machine.shaft_g * self.severity
        angles = 2 * math.pi * np.outer(turns, _HARMONICS) + self._phases[:-1]
        lower = half * np.sin(math.pi * turns + self._phases[-1])
        return np.asarray(np.sin(angles) @ amplitudes + lower)

    def _strikes(self, turns: Array) -> Array:
        """Impulses of one block, each at its nearest sample."""
        impulses = np.zeros(len(turns))
        per_turn = STRIKES.get(self.fault)
        if per_turn is None or len(turns) == 0:
            return impulses
        self._strike = max(self._strike, float(turns[0]))
        step = self._machine.shaft_hz / self._rate
        while self._strike < turns[0] + len(turns) * step:
            place = min(int((self._strike - turns[0]) / step), len(turns) - 1)
            impulses[place] += self.severity * self._machine.strike_g * self._load(self._strike)
            self._strike += (1 + self._slips.normal(0.0, _SLIP)) / per_turn
        return impulses

    def _load(self, turn: float) -> float:
        """The outer race stands still in the load zone; what turns passes through it (0.2 outside of it)."""
        turns = {"inner": 1.0, "ball": CAGE}.get(self.fault)
        return 1.0 if turns is None else 0.6 + 0.4 * math.cos(2 * math.pi * turns * turn)
