"""The rule `presence`."""

import pytest

from edgeinfer.errors import InputError
from edgeinfer.events import Detection, Keypoints, Region, Score, Trigger, Value
from edgeinfer.geometry import Box
from edgeinfer.rules.presence import Presence
from tests.rules.seen import PLACE, Scene, decisions, told

RIGHT_HALF = ((0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0))


def presence(**options):
    return Presence(Presence.Options(**({"label": "part"} | options)), PLACE)


def test_without_holding_times_each_look_decides():
    s = Scene()
    assert told(presence(), s.look(0), s.look(1, "part"), s.look(2, "part"), s.look(3)) == [
        (0, "off"),
        (1, "on"),
        (3, "off"),
    ]


def test_it_is_on_once_every_look_of_for_s_has_seen_it():
    s = Scene()
    seen = [s.look(t, "part") for t in (0, 0.2, 0.4)]
    assert told(presence(for_s=0.3), *seen) == [(0.4, "on")]


def test_one_look_without_it_starts_for_s_over():
    s = Scene()
    seen = [s.look(0, "part"), s.look(0.2), s.look(0.4, "part"), s.look(0.6, "part"), s.look(0.7, "part")]
    assert told(presence(for_s=0.3, clear_s=9), *seen) == [(0.7, "on")]


def test_it_is_off_once_no_look_of_clear_s_has_seen_it():
    s = Scene()
    seen = [s.look(0, "part"), s.look(1), s.look(1.5, "part"), s.look(2), s.look(2.5), s.look(3)]
    assert told(presence(clear_s=1), *seen) == [(0, "on"), (3, "off")]


def test_the_first_known_state_has_to_hold_as_well():
    s = Scene()
    assert told(presence(clear_s=1), s.look(0), s.look(0.5), s.look(1)) == [(1, "off")]


def test_ticks_let_holding_times_run_out():
    s = Scene()
    assert told(presence(for_s=2), s.look(0, "part"), s.tick(1), s.tick(2), s.tick(3)) == [(2, "on")]


def test_a_trigger_lets_time_go_by_too():
    s = Scene()
    assert told(presence(for_s=2), s.look(0, "part"), Trigger(s.key(), s.at(2))) == [(2, "on")]


def test_a_lost_source_makes_it_unknown_with_the_reason():
    s = Scene()
    rule = presence()
    (on, unknown) = decisions(rule, [s.look(0, "part"), s.lost(1, "frozen for 4 s"), s.lost(2)])
    assert (on.state, unknown.state) == ("on", "unknown")
    assert unknown.details == {"reason": "frozen for 4 s"}


def test_a_source_that_is_lost_before_anything_was_known_tells_nothing():
    s = Scene()
    assert told(presence(for_s=1), s.lost(0), s.look(1, "part"), s.lost(2), s.tick(3)) == []


def test_being_back_alone_changes_nothing_and_the_next_look_decides():
    s = Scene()
    seen = [s.look(0, "part"), s.lost(1), s.back(2), s.tick(3), s.look(4, "part")]
    assert told(presence(), *seen) == [(0, "on"), (1, "unknown"), (4, "on")]


def test_holding_times_start_over_after_a_loss():
    s = Scene()
    seen = [s.look(0, "part"), s.lost(1), s.back(1.5), s.look(2, "part"), s.look(4, "part")]
    assert told(presence(for_s=2), *seen) == [(4, "on")]


def test_a_wall_clock_that_jumps_changes_no_holding_time():
    s = Scene()
    jumped = s.look(1, "part")
    object.__setattr__(jumped, "at", type(jumped.at)("feedc0de", round(1e9), 0))
    assert told(presence(for_s=2), s.look(0, "part"), jumped, s.look(2, "part")) == [(2, "on")]


def test_another_boot_starts_holding_times_over():
    before, after = Scene(boot="a"), Scene(boot="b")
    seen = [before.look(0, "part"), after.look(100, "part"), after.look(101, "part"), after.look(102, "part")]
    assert told(presence(for_s=2), *seen) == [(102, "on")]


def test_each_source_has_a_state_of_its_own():
    belt, gate = Scene("belt"), Scene("gate")
    found = decisions(presence(), [belt.look(0, "part"), gate.look(0), belt.lost(1), gate.look(2, "part")])
    assert [(d.subject, d.state) for d in found] == [
        ("belt", "on"), ("gate", "off"), ("belt", "unknown"), ("gate", "on")
    ]  # fmt: skip


def test_other_labels_low_scores_and_values_do_not_count():
    s = Scene()
    low, value = Detection("part", 0.59, Box(0, 0, 1, 1)), Value("part", 1.0)
    assert told(presence(score=0.6), s.look(0, "hand", low, value)) == [(0, "off")]
    assert told(presence(score=0.6), s.look(0, Detection("part", 0.6, Box(0, 0, 1, 1)))) == [(0, "on")]


def test_several_labels_are_one_presence():
    s = Scene()
    rule = presence(label=("scratched", "hole"))
    assert told(rule, s.look(0, "hole"), s.look(1, "scratched"), s.look(2, "good")) == [(0, "on"), (2, "off")]


def test_only_an_anchor_inside_of_the_zone_counts():
    s = Scene()
    straddling = Detection("part", 0.9, Box(0.2, 0.1, 0.7, 0.9))
    inside = Detection("part", 0.9, Box(0.4, 0.1, 0.8, 0.9))
    assert told(presence(zone=RIGHT_HALF), s.look(0, straddling), s.look(1, inside)) == [
        (0, "off"),
        (1, "on"),
    ]


def test_the_foot_can_be_the_anchor():
    s = Scene()
    lower = ((0.0, 0.5), (1.0, 0.5), (1.0, 1.0), (0.0, 1.0))
    standing = Detection("part", 0.9, Box(0.4, 0.0, 0.6, 0.8))
    assert told(presence(zone=lower), s.look(0, standing)) == [(0, "off")]
    assert told(presence(zone=lower, anchor="foot"), s.look(0, standing)) == [(0, "on")]


def test_a_score_without_a_place_counts_without_a_zone_only():
    s = Scene()
    assert told(presence(), s.look(0, Score("part", 0.9))) == [(0, "on")]
    assert told(presence(zone=RIGHT_HALF), s.look(0, Score("part", 0.9))) == [(0, "off")]


def test_keypoints_and_regions_have_a_place():
    s = Scene()
    points = Keypoints("part", 0.9, ((0.7, 0.2, 1.0), (0.9, 0.8, 1.0)))
    region = Region("part", 0.9, ((0.7, 0.2), (0.9, 0.2), (0.8, 0.8)))
    assert told(presence(zone=RIGHT_HALF), s.look(0, points)) == [(0, "on")]
    assert told(presence(zone=RIGHT_HALF), s.look(0, region)) == [(0, "on")]


def test_details_tell_the_best_and_how_many():
    s = Scene()
    best = Detection("part", 0.912345, Box(0.123456, 0, 0.5, 1))
    (on, off) = decisions(presence(), [s.look(0, "part", best), s.look(1)])
    assert on.details == {"label": "part", "score": 0.9123, "box": [0.1235, 0, 0.5, 1], "count": 2}
    assert off.details == {}


def test_a_decision_carries_the_key_and_moment_of_what_made_it_certain():
    s = Scene()
    look = s.look(7, "part")
    (on,) = presence().observe(look)
    assert (on.key, on.at, on.subject, on.pipeline, on.rule) == (
        look.key,
        look.at,
        "belt",
        "inspection",
        "rule",
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"label": ()}, "label: expected at least one"),
        ({"label": ""}, "label: a label may not be empty"),
        ({"score": 1.1}, "score: expected a number from 0 to 1, found 1.1"),
        ({"score": float("nan")}, "score: expected a number from 0 to 1"),
        ({"for_s": -1}, "for_s: expected seconds, 0 or more, found -1"),
        ({"clear_s": float("inf")}, "clear_s: expected seconds, 0 or more"),
        ({"anchor": "head"}, 'anchor: expected "centre" or "foot"'),
        ({"zone": ((0, 0), (1, 1))}, "zone: a polygon has at least 3 corners, found 2"),
        ({"zone": ((0, 0), (1, 1), (1, 0), (0, 1))}, "zone: its sides cross"),
        ({"zone": ((0, 0), (640, 0), (0, 480))}, r"zone: the corner \[640.0, 0.0\] lies outside"),
        ({"zone": ((0, 0), (0.5, 0.5), (1, 1))}, "zone: its corners lie on one line"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(options, told):
    with pytest.raises(InputError, match=f"^{told}"):
        presence(**options)
