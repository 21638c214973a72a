"""The statistics that every figure in the docs goes through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.pairs import Ratio, alternate, compare, interval

FIGURES = st.lists(st.floats(0.1, 1000), min_size=3, max_size=20)


@given(FIGURES)
def test_the_median_lies_in_its_interval_and_the_interval_in_the_data(values):
    found = interval(values)
    assert min(values) <= found.low <= found.median <= found.high <= max(values)


def test_the_same_values_give_the_same_interval():
    assert interval([1.0, 2.0, 5.0]) == interval([1.0, 2.0, 5.0])


def test_every_second_pair_begins_with_the_other_side():
    order = []

    def side(name):
        def run():
            order.append(name)
            return {"ms": 1.0}

        return run

    alternate(side("a"), side("b"), 3)
    assert order == ["a", "b", "b", "a", "a", "b"]


def test_a_ratio_is_of_the_first_to_the_second():
    assert compare(lambda: 3.0, lambda: 2.0, 3).median == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("ratio", "met"),
    [(Ratio(1.0, 0.9, 1.1), True), (Ratio(1.1, 1.02, 1.2), True), (Ratio(1.1, 1.04, 1.2), False)],
)
def test_a_bound_is_met_when_the_interval_overlaps_it(ratio, met):
    assert ratio.meets(at_most=1.03) is met
