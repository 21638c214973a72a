"""How far two distributions part, and the reference of a bundle."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.distributions import CLASSES, NOTHING_SEEN, Gathering, Reference, Shape, js, psi
from edgeinfer.events import Inference
from tests.rules.seen import Scene

COUNTS = st.integers(2, 12).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 5000), min_size=n, max_size=n)] * 2)
)


@given(COUNTS)
def test_both_are_symmetric(pair):
    a, b = pair
    assert psi(a, b) == pytest.approx(psi(b, a), abs=1e-12)
    assert js(a, b) == pytest.approx(js(b, a), abs=1e-12)


@given(COUNTS)
def test_psi_is_no_less_than_0_and_js_is_0_to_1(pair):
    assert psi(*pair) >= 0
    assert 0 <= js(*pair) <= 1


@given(st.lists(st.integers(0, 5000), min_size=2, max_size=12))
def test_equal_distributions_do_not_part(counts):
    assert psi(counts, counts) == pytest.approx(0, abs=1e-12)
    assert js(counts, counts) == pytest.approx(0, abs=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_two_samples_of_one_distribution_part_by_less_than_a_shift(seed):
    rng = np.random.default_rng(seed)
    a, b = (np.bincount(rng.integers(0, 10, 2000), minlength=10).tolist() for _ in range(2))
    assert psi(a, b) < 0.1


def test_psi_is_the_sum_of_the_scorecard():
    a, b = [600_000, 400_000], [500_000, 500_000]
    assert psi(a, b) == pytest.approx(0.1 * np.log(0.6 / 0.5) - 0.1 * np.log(0.4 / 0.5), abs=1e-5)


def test_js_of_what_has_nothing_in_common_is_a_bit():
    assert js([10**7, 0], [0, 10**7]) == pytest.approx(1, abs=1e-4)


def gathered(values, name="brightness"):
    scene, found = Scene(), Gathering()
    for n, value in enumerate(values):
        found.add(Inference(scene.key(), scene.at(n), (), measures={name: (float(value),)}))
    return found


def test_a_reference_has_tenths_of_what_it_saw():
    shape = gathered(range(1000)).reference(200).measures["brightness"]
    assert shape.counts == (100,) * 10


def test_what_lies_above_or_below_a_constant_has_bins_of_its_own():
    shape = gathered([7] * 300).reference(200).measures["brightness"]
    assert len({shape.bin_of(v) for v in (6.0, 7.0, 8.0)}) == 3


def test_a_long_row_takes_no_more_memory_and_keeps_its_shape():
    found = gathered(np.tile(np.arange(100), 300))
    assert len(found._values["brightness"].values) <= 8192
    shares = np.array(found.reference(200).measures["brightness"].counts, float)
    assert shares / shares.sum() == pytest.approx(0.1, abs=0.03)


def test_what_was_seen_too_seldom_is_left_out():
    assert gathered(range(199)).reference(200).measures == {}


def test_a_look_that_finds_nothing_is_a_class_too():
    assert gathered(range(300)).reference(200).measures[CLASSES].labels == (NOTHING_SEEN,)


def test_a_reference_is_the_same_after_it_was_written():
    reference = gathered(range(1000)).reference(200)
    assert msgspec.json.decode(msgspec.json.encode(reference), type=Reference) == reference


@pytest.mark.parametrize(
    "wrong",
    [
        {"counts": [1, 2], "edges": [1.0, 2.0]},
        {"counts": [1, 2, 3], "edges": [2.0, 1.0]},
        {"counts": [1, -2], "edges": [1.0]},
    ],
)
def test_a_shape_that_does_not_hold_together_is_refused(wrong):
    with pytest.raises(msgspec.ValidationError, match="expected"):
        msgspec.convert(wrong, Shape)


def test_a_reference_of_another_format_is_refused():
    with pytest.raises(msgspec.ValidationError, match="expected format 1, found 2"):
        msgspec.convert({"format": 2, "samples": 0, "measures": {}}, Reference)
