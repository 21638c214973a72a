"""A daemon whose accelerator is lost, hangs and aborts again and again: it decides on, and keeps nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import fallback_daemon
from benchmarks.fallback import FAULTS, SETTLED

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

CYCLES = SETTLED + 2 * len(FAULTS)


def test_a_daemon_outlives_every_fault_and_has_as_much_as_before(accelerator, tmp_path: Path) -> None:
    seen = fallback_daemon.measure(accelerator, tmp_path, CYCLES)
    assert (seen.lost, seen.back) == (CYCLES, CYCLES)
    assert (seen.after.descriptors, seen.after.children, seen.after.threads) == (
        seen.before.descriptors,
        seen.before.children,
        seen.before.threads,
    )
    assert seen.states == {"on", "off"}  # the rule never stopped knowing
    assert seen.exit_code == 0
