"""The simulated machine: strikes come where the geometry says, and blocks do not matter."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.sources.bearing import CAGE, STRIKES, Bearing, Machine

QUIET = Machine(noise_g=0.0, shaft_g=0.0)


def test_the_frequencies_are_those_of_a_6205() -> None:
    assert (CAGE, STRIKES["outer"], STRIKES["inner"], STRIKES["ball"] / 2) == pytest.approx(
        (0.3983, 3.5848, 5.4152, 2.3567), abs=0.002
    )


def test_a_sound_machine_without_noise_is_silent() -> None:
    assert not Bearing(QUIET).block(4096).any()


@pytest.mark.parametrize("fault", ["outer", "inner", "ball"])
def test_a_fault_strikes_at_its_frequency(fault) -> None:
    bearing = Bearing(QUIET)
    bearing.fault, bearing.severity = fault, 1.0
    impulses = bearing._strikes(np.arange(12_800 * 4) * QUIET.shaft_hz / 12_800)
    assert np.count_nonzero(impulses) / 4 == pytest.approx(STRIKES[fault] * QUIET.shaft_hz, rel=0.01)


@pytest.mark.parametrize("fault", ["none", "outer", "imbalance", "looseness"])
def test_the_size_of_the_blocks_does_not_matter(fault) -> None:
    def signal(*sizes: int) -> np.ndarray:
        bearing = Bearing(Machine(), seed=3)
        bearing.fault, bearing.severity = fault, 0.5
        return np.concatenate([bearing.block(n) for n in sizes])

    assert signal(2048) == pytest.approx(signal(1000, 24, 1024), abs=1e-9)


def test_a_fault_may_begin_while_it_runs() -> None:
    bearing = Bearing(Machine())
    sound = np.abs(bearing.block(12_800)).max()
    bearing.fault, bearing.severity = "outer", 1.0
    assert np.abs(bearing.block(12_800)).max() > 2 * sound
