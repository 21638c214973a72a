"""Histograms and distances of distributions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.rules.distributions import (
    Fading,
    Histogram,
    histogram,
    jensen_shannon,
    measured,
    psi,
    reference,
)
from tests.rules.seen import Scene

SHARES = st.lists(st.floats(0.001, 1), min_size=2, max_size=12).map(lambda xs: [x / sum(xs) for x in xs])


@given(SHARES, st.randoms())
def test_distances_are_symmetric_zero_for_the_same_and_positive_else(shares, random):
    other = random.sample(shares, len(shares))
    for distance in (psi, jensen_shannon):
        assert distance(shares, shares) == pytest.approx(0, abs=1e-12)
        assert distance(shares, other) == pytest.approx(distance(other, shares))
        assert distance(shares, other) >= -1e-12


def test_known_values():
    assert psi([0.5, 0.5], [0.6, 0.4]) == pytest.approx(0.1 * math.log(1.2) - 0.1 * math.log(0.8))
    assert jensen_shannon([1.0, 0.0], [0.0, 1.0]) == pytest.approx(1.0)
    assert 0 < psi([1.0, 0.0], [0.0, 1.0]) < 20  # an empty bin makes nothing infinite


def test_quantiles_hold_equal_shares():
    made = histogram(np.random.default_rng(0).normal(size=10_000).tolist())
    assert made.count == 10_000
    assert np.allclose(made.shares, 0.1, atol=0.002)


def test_a_value_that_never_changed_has_a_bin_of_its_own():
    made = histogram([3.0] * 50)
    assert made.shares[made.bin(3.0)] == 1
    assert made.bin(2.9) != made.bin(3.0) != made.bin(3.1)


def test_a_label_that_was_never_seen_has_the_last_bin():
    made = histogram(["good", "bad", "good"])
    assert (made.bin("bad"), made.bin("good"), made.bin("strange")) == (0, 1, 2)


def test_a_fading_histogram_forgets_the_old_and_passes_over_nan():
    like = Histogram((0.5, 0.5), 100, (0.0,))
    now = Fading(like, 100)
    for value in [-1.0] * 1000 + [float("nan")] + [1.0] * 500:
        now.add(value)
    assert now.count == 1500
    assert now.shares()[1] == pytest.approx(1 - math.exp(-5), abs=1e-3)


@pytest.mark.parametrize(
    "wrong",
    [
        {"shares": (1.0,), "count": 1},
        {"shares": (0.5, 0.4), "count": 1, "edges": (0.0,)},
        {"shares": (0.5, float("nan")), "count": 1, "edges": (0.0,)},
        {"shares": (0.2, 0.3, 0.5), "count": 1, "edges": (1.0, 0.0)},
    ],
)
def test_what_is_no_histogram_is_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        Histogram(**wrong)


def test_looks_count_scores_labels_and_values():
    s = Scene()
    assert list(measured(s.look(0, "good", "bad"))) == [
        ("score:good", 0.9), ("share", "good"), ("score:bad", 0.9), ("share", "bad"),
    ]  # fmt: skip
    assert list(measured(s.look(1))) == [("share", "")]
    assert ("value:temp", 2.0) in list(measured(s.read(2, 1.0, 2.0)))
    assert list(measured(s.tick(3))) == []


def test_a_measure_with_few_values_is_left_out_of_a_reference():
    made = reference({"share": ["a"] * 30, "score:a": [0.5] * 29}, "here")
    assert list(made.measures) == ["share"]
