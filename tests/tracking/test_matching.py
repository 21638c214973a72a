"""Which pairs are taken."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

from edgeinfer.geometry import Box, iou
from edgeinfer.tracking.matching import match, overlaps

ALIKE = st.tuples(st.integers(1, 5), st.integers(1, 5)).flatmap(
    lambda shape: some.arrays(
        float, shape, elements=st.sampled_from([0.0, 0.1, 0.25, 0.3, 0.5, 0.8, 0.9, 1.0])
    )
)
BOXES = some.arrays(float, st.tuples(st.integers(1, 4), st.just(4)), elements=st.floats(0, 1, width=16))


def best_sum(alike, least):
    """By trying all: which column, or none (from m on), each row gets."""
    n, m = alike.shape
    gain = np.hstack([np.maximum(alike - least, 0), np.zeros((n, n))])
    return max(sum(gain[i, j] for i, j in enumerate(way)) for way in permutations(range(m + n), n))


@given(ALIKE, st.sampled_from([0.0, 0.2, 0.5]))
def test_the_pairs_have_the_largest_sum_of_all_choices(alike, least):
    rows, columns = match(alike, least)
    assert np.isclose((alike[rows, columns] - least).sum(), best_sum(alike, least))


@given(ALIKE, st.sampled_from([0.0, 0.2, 0.5]))
def test_each_goes_with_one_at_most_and_only_with_whom_it_is_like(alike, least):
    rows, columns = match(alike, least)
    assert len(set(rows.tolist())) == len(rows) == len(set(columns.tolist()))
    assert (alike[rows, columns] > least).all()
    assert rows.tolist() == sorted(rows.tolist())


def test_a_crowd_in_which_all_overlap_is_solved_like_any_other():
    chance = np.random.default_rng(3)
    alike = chance.permuted(np.eye(60), axis=0)[chance.permutation(60)] * 0.5 + chance.random((60, 60)) * 0.4
    rows, columns = match(alike, 0.1)
    assert rows.tolist() == list(range(60))
    assert sorted(columns.tolist()) == list(range(60))
    swapped = columns.copy()
    swapped[[0, 1]] = swapped[[1, 0]]
    assert alike[rows, columns].sum() >= alike[rows, swapped].sum()


def test_what_is_not_a_number_is_no_pair():
    rows, _ = match(np.array([[np.nan, np.nan], [np.nan, 0.5], [np.nan, 0.6]]), 0.2)
    assert rows.tolist() == [2]


def test_nothing_alike_gives_no_pairs():
    assert match(np.zeros((3, 2)), 0.2)[0].tolist() == []


@given(BOXES, BOXES)
def test_overlaps_are_those_of_geometry(a, b):
    a, b = (
        np.sort(a.reshape(-1, 2, 2), axis=1).reshape(-1, 4),
        np.sort(b.reshape(-1, 2, 2), axis=1).reshape(-1, 4),
    )
    expected = [[iou(Box(*x), Box(*y)) for y in b] for x in a]
    assert np.allclose(overlaps(a, b), expected)
