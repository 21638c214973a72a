"""The rule `change`."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.rules.change import Change
from tests.rules.seen import PLACE, Scene, decisions, told

KNOWN = {"mean": 10.0, "sigma": 2.0}


def change(**options):
    return Change(Change.Options(**({"value": "temp"} | options)), PLACE)


def noise(n, seed=1, mean=10.0, sigma=2.0):
    return np.random.default_rng(seed).normal(mean, sigma, n)


@pytest.mark.parametrize("method", ["cusum", "ewma"])
def test_a_small_shift_is_found_and_its_end_too(method):
    s = Scene()
    usual, shifted, back = noise(300), noise(60, 2, 13.0), noise(60, 3)
    found = decisions(change(method=method, learn=200), [s.read(0, *usual, *shifted, *back, period_s=1)])
    assert [d.state for d in found][:2] == ["off", "on"]
    assert 300 <= found[1].at.mono_ns / 1e9 <= 330
    assert found[1].details["direction"] == "up"
    assert found[-1].state == "off"
    assert found[-1].at.mono_ns / 1e9 > 360


def test_a_slow_drift_down_is_found():
    values = noise(200) - np.maximum(np.arange(200) - 100, 0) * 0.05
    found = decisions(change(**KNOWN), [Scene().read(0, *values, period_s=1)])
    assert [d.state for d in found] == ["off", "on"]
    assert found[1].details["direction"] == "down"


def test_the_false_alarms_of_cusum_are_as_rare_as_the_book_says():
    """Montgomery gives an average of 465 values to a false alarm for slack 0.5 and alarm 5, both directions."""
    runs = []
    for seed in range(60):
        found = decisions(change(**KNOWN), [Scene().read(0, *noise(6000, seed), period_s=1)])
        runs.append(next(d.at.mono_ns / 1e9 + 1 for d in found if d.state == "on"))
    assert 330 < np.mean(runs) < 640


def test_cusum_by_hand():
    """z = 1, 2, 3, 3: sums of z - 0.5 are 0.5, 2, 4.5, 7; then 0: 6.5 and so on until half of 5."""
    s = Scene()
    seen = [s.read(t, v) for t, v in enumerate([12, 14, 16, 16, *[10] * 10])]
    found = decisions(change(**KNOWN), seen)
    assert [(d.at.mono_ns / 1e9, d.state, d.details["statistic"]) for d in found] == [
        (0, "off", 0.5),
        (3, "on", 7.0),
        (12, "off", 2.5),
    ]


def test_while_it_learns_it_tells_nothing():
    s = Scene()
    assert told(change(learn=5), *(s.read(t, 10 + t % 2) for t in range(7))) == [(5, "off")]


def test_what_never_moved_while_it_was_learned_may_still_change():
    s = Scene()
    assert told(change(learn=3), *(s.read(t, v) for t, v in enumerate([5, 5, 5, 5, 6]))) == [
        (3, "off"),
        (4, "on"),
    ]


def test_the_score_of_a_model_is_a_value():
    s = Scene()
    rule = change(value="good", mean=0.9, sigma=0.05)
    assert told(rule, s.scores(0, good=0.9), *(s.scores(t, good=0.7) for t in range(1, 4))) == [
        (0, "off"),
        (2, "on"),
    ]
    assert rule.labels == ("good",)


def test_not_a_number_and_a_lost_source_make_it_unknown_and_what_is_usual_stays_known():
    s, rule = Scene(), change(learn=2)
    decisions(rule, [s.read(0, 10, 12)])
    seen = [s.read(1, 11), s.read(2, math.nan), s.read(3, 11), s.lost(4), s.read(5, 11)]
    assert told(rule, *seen) == [(1, "off"), (2, "unknown"), (3, "off"), (4, "unknown"), (5, "off")]


def test_after_a_gap_the_sum_starts_over():
    s = Scene()
    seen = [s.read(0, 10), s.read(1, 14, 14, 14), s.read(2, 14, 14, 14, gap=True)]
    assert told(change(**KNOWN), *seen) == [(0, "off")]
    assert told(change(**KNOWN), s.read(0, 10), s.read(1, 14, 14, 14), s.read(2, 14, 14)) == [
        (0, "off"),
        (2, "on"),
    ]


def test_infinity_is_far_and_its_end_is_seen():
    s = Scene()
    seen = [s.read(0, 10), s.read(1, math.inf), s.read(2, *[10] * 20)]
    assert told(change(**KNOWN), *seen) == [(0, "off"), (1, "on"), (2, "off")]


def test_other_channels_say_nothing():
    assert told(change(**KNOWN), Scene().read(0, 99, channel="rpm")) == []


@given(st.lists(st.floats(-100, 100) | st.just(math.nan), min_size=1, max_size=40), st.integers(1, 7))
def test_how_readings_are_cut_into_blocks_does_not_matter(values, size):
    def run(block):
        scene = Scene()
        rule = change(learn=5)
        blocks = [
            scene.read(start * 0.1, *values[start : start + block], period_s=0.1)
            for start in range(0, len(values), block)
        ]
        return [(d.at.mono_ns, d.state, d.details) for d in decisions(rule, blocks)]

    assert run(1) == run(size)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"value": ""}, "value: expected the name"), ({"mean": math.nan}, "mean: expected a number")],
)
def test_a_wrong_option_is_refused_with_its_name(wrong, words):
    with pytest.raises(InputError, match=f"^{words}"):
        change(**wrong)
