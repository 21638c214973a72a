"""The rule `line`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.rules.line import Line
from tests.rules.seen import PLACE, Scene, at, decisions, told

MIDDLE = ((0.5, 0.0), (0.5, 1.0))


def line(**options):
    return Line(Line.Options(**({"line": MIDDLE} | options)), PLACE)


def walk(scene, *xs, track=1, start=0, **more):
    return [scene.look(start + n, at(x, track=track, **more)) for n, x in enumerate(xs)]


def test_the_first_look_tells_that_none_has_crossed():
    assert told(line(), Scene().look(0)) == [(0, 0)]


def test_a_crossing_is_told_once_it_is_on_the_other_side():
    (_, one) = decisions(line(), walk(Scene(), 0.3, 0.45, 0.55, 0.7))
    assert (one.state, one.at.mono_ns) == (1, 2_000_000_000)
    assert one.details == {"direction": "forward", "label": "part", "track": 1, "forward": 1, "backward": 0}


def test_a_line_from_top_to_bottom_is_crossed_backward_from_right_to_left():
    assert decisions(line(), walk(Scene(), 0.7, 0.3))[-1].details["direction"] == "backward"


def test_a_line_from_left_to_right_is_crossed_forward_from_the_bottom_up():
    s, rule = Scene(), line(line=((0.0, 0.5), (1.0, 0.5)))
    seen = [s.look(0, at(0.5, 0.8)), s.look(1, at(0.5, 0.2))]
    assert decisions(rule, seen)[-1].details["direction"] == "forward"


def test_only_the_direction_asked_for_is_counted():
    s = Scene()
    seen = [*walk(s, 0.3, 0.7), *walk(s, 0.7, 0.3, track=2, start=5)]
    assert told(line(direction="backward"), *seen) == [(0, 0), (6, 1)]


def test_an_identity_counts_once_however_often_it_crosses():
    assert told(line(), *walk(Scene(), 0.3, 0.7, 0.3, 0.7)) == [(0, 0), (1, 1)]


def test_with_again_each_crossing_counts():
    assert told(line(again=True), *walk(Scene(), 0.3, 0.7, 0.3, 0.7)) == [(0, 0), (1, 1), (2, 2), (3, 3)]


def test_trembling_on_the_line_is_no_crossing():
    assert told(line(again=True, margin=0.02), *walk(Scene(), 0.3, 0.51, 0.49, 0.51, 0.495)) == [(0, 0)]


def test_who_was_hidden_while_it_crossed_is_counted():
    s = Scene()
    seen = [s.look(0, at(0.4)), s.look(1), s.look(2), s.look(3, at(0.6))]
    assert told(line(), *seen) == [(0, 0), (3, 1)]


def test_past_the_ends_of_the_line_is_no_crossing():
    s, rule = Scene(), line(line=((0.5, 0.4), (0.5, 0.6)))
    assert told(rule, s.look(0, at(0.4, 0.8)), s.look(1, at(0.6, 0.8))) == [(0, 0)]


def test_what_has_no_identity_is_not_counted():
    assert told(line(), *walk(Scene(), 0.3, 0.7, track=None)) == [(0, 0)]


def test_two_that_cross_in_one_picture_are_two_decisions():
    s = Scene()
    seen = [s.look(0, at(0.4), at(0.6, 0.2, 2)), s.look(1, at(0.6), at(0.4, 0.2, 2))]
    assert told(line(), *seen) == [(0, 0), (1, 1), (1, 2)]


def test_the_foot_crosses_where_the_centre_does_not():
    s, rule = Scene(), line(line=((0.0, 0.53), (1.0, 0.53)), anchor="foot")
    assert told(rule, s.look(0, at(0.5, 0.4)), s.look(1, at(0.5, 0.5))) == [(0, 0), (1, 1)]


def test_only_the_labels_asked_for_count():
    assert told(line(labels="car"), *walk(Scene(), 0.3, 0.7)) == [(0, 0)]


def test_a_lost_source_makes_it_unknown_and_the_number_goes_on_after_it():
    s = Scene()
    seen = [*walk(s, 0.3, 0.7), s.lost(2), s.back(3), *walk(s, 0.3, 0.7, track=2, start=4)]
    assert told(line(), *seen) == [(0, 0), (1, 1), (2, "unknown"), (4, 1), (5, 2)]


def test_who_was_on_a_side_before_the_loss_has_not_crossed_after_it():
    s = Scene()
    seen = [s.look(0, at(0.3)), s.lost(1), s.look(2, at(0.7))]
    assert told(line(), *seen) == [(0, 0), (1, "unknown"), (2, 0)]


def test_after_another_boot_the_same_number_is_somebody_else():
    seen = [Scene().look(5, at(0.3)), Scene(boot="b2").look(6, at(0.7))]
    assert told(line(), *seen) == [(5, 0)]


def test_who_was_not_seen_for_longer_than_a_track_lasts_is_forgotten():
    s, rule = Scene(), line()
    decisions(rule, [s.look(0, at(0.3)), s.look(100, at(0.9, track=2)), s.look(170, at(0.9, track=2))])
    assert list(rule._ways["belt"].known) == [2]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.sampled_from([0.01, 0.05]))
def test_crossings_back_and_forth_alternate_and_each_needs_the_margin_on_both_sides(xs, margin):
    found = decisions(line(again=True, margin=margin), walk(Scene(), *xs))[1:]
    ways = [d.details["direction"] for d in found]
    assert all(a != b for a, b in zip(ways, ways[1:]))
    sides = [x > 0.5 for x in xs if abs(x - 0.5) > margin + 1e-9]
    if all(abs(abs(x - 0.5) - margin) > 1e-9 for x in xs):
        assert len(found) == sum(a != b for a, b in zip(sides, sides[1:]))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"line": ((0.5, 0.5),)}, "line: expected two points"),
        ({"line": ((0.5, 0.5), (0.5, 0.5))}, "line: .*no length"),
        ({"line": ((0.5, 0.0), (0.5, 480.0))}, "line: the point .*outside of the picture"),
        ({"labels": ("",)}, "labels: a label may not be empty"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(wrong, words):
    with pytest.raises(InputError, match=f"^{words}"):
        line(**wrong)
