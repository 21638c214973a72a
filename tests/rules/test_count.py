"""The rule `count`."""

import pytest

from edgeinfer.errors import InputError
from edgeinfer.events import Detection
from edgeinfer.geometry import Box
from edgeinfer.rules.count import Count
from tests.rules.seen import PLACE, Scene, decisions, told


def count(**options):
    return Count(Count.Options(**options), PLACE)


def test_the_state_is_the_number_seen():
    s = Scene()
    assert told(count(), s.look(0), s.look(1, "a", "b"), s.look(2, "c", "d"), s.look(3, "a")) == [
        (0, 0),
        (1, 2),
        (3, 1),
    ]


def test_a_number_is_told_once_it_was_stable_for_its_time():
    s = Scene()
    seen = [s.look(0, "a"), s.look(0.5, "a", "a"), s.look(1, "a"), s.look(2, "a")]
    assert told(count(for_s=1), *seen) == [(2, 1)]


def test_a_number_that_changes_in_between_starts_over():
    s = Scene()
    seen = [s.look(0), s.look(1, "a"), s.look(1.5, "a", "a"), s.tick(2), s.tick(2.5)]
    assert told(count(for_s=1), *seen) == [(2.5, 2)]


def test_only_the_labels_asked_for_count_and_each_is_told():
    s = Scene()
    (one,) = decisions(count(labels=("good", "bad", "ugly")), [s.look(0, "ugly", "good", "hand", "good")])
    assert one.state == 3
    assert one.details == {"counts": {"good": 2, "bad": 0, "ugly": 1}}


def test_without_labels_all_that_is_seen_is_told():
    s = Scene()
    (one,) = decisions(count(), [s.look(0, "b", "a", "b")])
    assert one.details == {"counts": {"a": 1, "b": 2}}


def test_only_what_is_in_the_zone_and_sure_enough_counts():
    s = Scene()
    zone = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5))
    seen = s.look(
        0, *(Detection("a", score, Box(x, x, x, x)) for score, x in ((0.9, 0.1), (0.4, 0.1), (0.9, 0.4)))
    )
    assert told(count(zone=zone), seen) == [(0, 1)]


def test_a_lost_source_makes_it_unknown_and_the_same_number_is_told_again_after():
    s = Scene()
    seen = [s.look(0, "a"), s.lost(1), s.back(2), s.look(3, "a")]
    assert told(count(), *seen) == [(0, 1), (1, "unknown"), (3, 1)]


def test_one_label_may_stand_without_a_list():
    assert count(labels="a").labels == ("a",)


def test_a_wrong_option_is_refused_with_its_name():
    with pytest.raises(InputError, match="^for_s: "):
        count(for_s=-1)
