"""The node's clock on the host's: jitter, drift and wrap-around, simulated."""

from __future__ import annotations

import random

import pytest

from firmware_bridge.clock import NodeClock


@pytest.mark.parametrize("drift_ppm", [-100, 0, 10_000])
def test_a_moment_is_right_within_2_ms_with_jitter_drift_and_wrap_around(drift_ppm):
    draw, clock, worst = random.Random(7), NodeClock(), 0.0
    rate = 1 + drift_ppm / 1e6

    def node_us(host_ns: float) -> int:  # wraps 30 s after the start
        return int(2**32 - 30e6 + host_ns / 1000 * rate) & 0xFFFFFFFF

    now = 0
    for n in range(90):
        # 14 wire bytes at 115200 baud and a scheduler that is sometimes late, each way
        out, back = (1.2e6 + draw.expovariate(1 / 0.7e6) for _ in range(2))
        clock.add(now, int(now + out + back + 2e5), node_us(now + out), node_us(now + out + 2e5))
        now += 10**8 if n < 8 else 10**9
        if n >= 8:
            worst = max(worst, abs(clock.host_ns(node_us(now)) - now))
    assert worst < 2e6


def test_without_an_exchange_nothing_is_known():
    assert NodeClock().host_ns(5) is None
