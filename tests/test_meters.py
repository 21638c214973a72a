from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.meters import Histogram, Meters


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_right_to_within_an_eighth(values, share):
    histogram = Histogram()
    for value in values:
        histogram.record(value)
    true = int(np.quantile(values, share, method="inverted_cdf"))
    assert true <= histogram.percentile(share) <= true * 1.125 + 1


def test_an_empty_histogram_says_zero():
    assert Histogram().percentile(0.5) == 0


def test_a_negative_duration_is_taken_as_none():
    histogram = Histogram()
    histogram.record(-5)
    assert histogram.max_ns == 0


def test_a_snapshot_holds_counters_and_percentiles():
    meters = Meters()
    meters.count("frames", 3)
    meters.record("invoke", 2_000_000)
    found = meters.snapshot()
    assert found["frames"] == 3
    assert found["latency_ms"]["invoke"]["p50"] == 2.0
