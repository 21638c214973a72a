"""Who is who from picture to picture."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

from edgeinfer.tracking.tracker import Tracker, TrackOptions


class Stage:
    """Boxes of 0.1 at (x, y, score), ten pictures a second."""

    def __init__(self, **options):
        self.tracker, self.s = Tracker(TrackOptions(**options)), 0.0

    def __call__(self, *things, dt=0.1):
        self.s += dt
        boxes = np.array([[x - 0.05, y - 0.05, x + 0.05, y + 0.05] for x, y, *_ in things]).reshape(-1, 4)
        scores = np.array([thing[2] if len(thing) > 2 else 0.9 for thing in things])
        return list(self.tracker(round(self.s * 1e9), boxes, scores))


def test_what_is_seen_twice_in_a_row_gets_a_number_and_keeps_it():
    see = Stage()
    assert [see((0.1 + 0.02 * n, 0.5)) for n in range(5)] == [[0], [1], [1], [1], [1]]


def test_a_flash_gets_no_number():
    see = Stage()
    assert [see((0.2, 0.5)), see(), see((0.2, 0.5)), see()] == [[0], [], [0], []]


def test_with_one_hit_the_first_look_is_enough():
    see = Stage(hits=1)
    assert [see((0.2, 0.5), (0.8, 0.5)), see((0.8, 0.5), (0.2, 0.5))] == [[1, 2], [2, 1]]


def test_who_is_hidden_for_a_while_comes_out_where_it_should():
    see = Stage()
    for n in range(5):
        see((0.1 + 0.04 * n, 0.5))
    for _ in range(6):
        assert see() == []
    assert see((0.1 + 0.04 * 11, 0.5)) == [1]


def test_who_is_hidden_for_too_long_is_somebody_new():
    see = Stage(keep_s=0.5)
    for _ in range(3):
        see((0.5, 0.5))
    for _ in range(6):
        see()
    assert [see((0.5, 0.5)), see((0.5, 0.5))] == [[0], [2]]


def test_a_thing_that_a_model_finds_twice_is_one_where_things_are_known_to_lie_apart():
    twice = (0.5, 0.5, 0.9), (0.52, 0.52, 0.6)
    see = Stage()
    assert [see(*twice), see(*twice)] == [[0, 0], [1, 2]]
    see = Stage(apart=0.4)
    assert [see(*twice), see(*twice), see(*reversed(twice))] == [[0, 0], [1, 0], [0, 1]]


def test_who_comes_apart_from_another_is_somebody_from_then_on():
    see = Stage(apart=0.4)
    for n in range(4):
        see((0.5, 0.5), (0.52, 0.5, 0.8))
    assert [see((0.5, 0.5), (0.62 + 0.01 * n, 0.5, 0.8)) for n in range(2)] == [[1, 0], [1, 2]]


def test_things_that_touch_are_two_even_so():
    see = Stage(apart=0.4)
    assert [see((0.5, 0.5), (0.56, 0.5)), see((0.5, 0.5), (0.56, 0.5))] == [[0, 0], [1, 2]]


def test_who_leaves_and_comes_back_is_somebody_new():
    see = Stage(keep_s=10)
    for n in range(6):
        see((0.75 + 0.05 * n, 0.5))
    for _ in range(5):
        see()
    assert [see((0.98, 0.5)), see((0.93, 0.5))] == [[0], [2]]


def test_two_that_cross_keep_their_numbers():
    see = Stage()
    given = [see((0.1 + 0.04 * n, 0.45), (0.9 - 0.04 * n, 0.52)) for n in range(21)]
    assert given[1:] == [[1, 2]] * 20


def test_a_low_score_goes_on_with_a_track_and_begins_none():
    see = Stage()
    see((0.2, 0.5))
    see((0.2, 0.5))
    assert see((0.2, 0.5, 0.2), (0.7, 0.5, 0.2)) == [1, 0]
    assert see((0.2, 0.5, 0.2), (0.7, 0.5, 0.2)) == [1, 0]


def test_below_the_low_score_nothing_is_believed():
    see = Stage()
    see((0.2, 0.5))
    see((0.2, 0.5))
    assert see((0.2, 0.5, 0.05)) == [0]


def test_after_a_low_score_that_was_not_seen_only_a_sure_one_goes_on():
    see = Stage()
    see((0.2, 0.5))
    see((0.2, 0.5))
    see()
    assert see((0.2, 0.5, 0.3)) == [0]
    assert see((0.2, 0.5, 0.9)) == [1]


def test_long_between_two_pictures_is_no_reason_to_forget():
    see = Stage(keep_s=1)
    see((0.5, 0.5))
    assert [see((0.5, 0.5), dt=5), see((0.5, 0.5), dt=5)] == [[1], [1]]


def test_a_clock_that_goes_back_ends_all_tracks_and_no_number_is_used_again():
    see = Stage(hits=1)
    assert see((0.5, 0.5)) == [1]
    assert see((0.5, 0.5), dt=-0.05) == [2]
    assert see((0.5, 0.5)) == [2]


def test_fifty_in_a_grid_keep_apart():
    see = Stage()
    grid = [(0.06 + 0.11 * (n % 8), 0.06 + 0.13 * (n // 8)) for n in range(50)]
    chance = np.random.default_rng(1)
    first = None
    for step in range(20):
        order = chance.permutation(50)
        given = see(*[(grid[n][0] + 0.005 * step, grid[n][1]) for n in order])
        by_place = [given[list(order).index(n)] for n in range(50)]
        first = by_place if step == 1 else first
        if step:
            assert by_place == first
            assert sorted(by_place) == list(range(1, 51))


PICTURES = st.lists(
    st.integers(0, 6).flatmap(
        lambda n: st.tuples(
            st.integers(-1, 3_000_000_000),
            some.arrays(float, (n, 4), elements=st.floats(-0.25, 1.25, width=16)),
            some.arrays(float, n, elements=st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])),
        )
    ),
    max_size=12,
)


def run(pictures):
    tracker, ns, given = Tracker(TrackOptions()), 0, []
    for step_ns, boxes, scores in pictures:
        ns += step_ns
        given.append(list(tracker(ns, boxes, scores)))
    return given


@given(PICTURES)
def test_the_same_pictures_give_the_same_numbers(pictures):
    assert run(pictures) == run(pictures)


@given(PICTURES)
def test_nobody_is_in_one_picture_twice_and_numbers_come_in_order(pictures):
    highest = 0
    for given_, (_, boxes, _) in zip(run(pictures), pictures):
        numbers = [n for n in given_ if n]
        assert len(given_) == len(boxes)
        assert len(set(numbers)) == len(numbers)
        new = sorted(n for n in numbers if n > highest)
        assert new == list(range(highest + 1, highest + 1 + len(new)))
        highest += len(new)


def test_a_low_above_the_score_is_refused():
    with pytest.raises(msgspec.ValidationError, match="low: expected at most score"):
        msgspec.convert({"low": 0.7}, TrackOptions)
