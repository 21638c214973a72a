"""The source `serial` with `edgelink`, on the C firmware in an emulator."""

from __future__ import annotations

from threading import Event

import numpy as np
import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.errors import SourceLost
from edgeinfer.sources.serial import Serial
from edgeinfer.testing.sources import Reports
from tests.sources.conftest import make

pytestmark = pytest.mark.slow  # needs a compiler and an emulator


@pytest.fixture
def board(qemu, firmware):
    return qemu("mps2-an385", firmware("node-cortexm", BOARD="mps2-an385") / "node.elf")


def test_a_node_tells_its_channels_units_and_times_by_itself(board):
    clock, reports = SystemClock(), Reports()
    found: dict[tuple[str, ...], list] = {}
    for readings in make(Serial, reports, clock=clock, port=board.port).samples(Event()):
        found.setdefault(readings.channels, []).append(readings)
        if len(found) == 2 and len(found["x", "y", "z"]) > 20:
            break
    vibration = found["x", "y", "z"]
    assert vibration[0].values.shape[1] == 3
    assert np.isfinite(vibration[0].values).all()
    assert not any(r.gap_before for r in vibration)
    assert abs(vibration[-1].at.mono_ns - clock.now().mono_ns) < 1_000_000_000
    spans = {len(r.values) * r.period_ns for r in vibration}
    steps = [b.at.mono_ns - a.at.mono_ns for a, b in zip(vibration, vibration[1:], strict=False)]
    assert np.median(steps) == pytest.approx(spans.pop(), rel=0.1)
    assert found[("temperature",)][0].values.shape == (1, 1)
    assert "loss" not in reports.now


def test_another_node_than_the_one_that_is_awaited_is_lost_with_both_names(board):
    source = make(Serial, clock=SystemClock(), port=board.port, node="press")
    with pytest.raises(SourceLost, match="expected 'press', found 'vibration'"):
        next(iter(source.samples(Event())))
