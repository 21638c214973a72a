"""Two hundred times lost, hung, aborted and back: nothing is left behind."""

from __future__ import annotations

import pytest

from benchmarks.fallback import measure

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

CYCLES = 200


def test_two_hundred_losses_leave_no_memory_descriptor_process_or_thread_behind(accelerator) -> None:
    seen = measure(accelerator, CYCLES)
    before, after = seen.before, seen.after
    assert (after.descriptors, after.children, after.threads) == (
        before.descriptors,
        before.children,
        before.threads,
    )
    assert after.rss_kb <= 1.02 * before.rss_kb
    assert seen.found == {"green": CYCLES}  # each picture under a fault was answered, and rightly
    assert seen.counts["accelerator_lost"] == seen.counts["accelerator_back"] == CYCLES
