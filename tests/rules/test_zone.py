"""The rule `zone`."""

import pytest

from edgeinfer.errors import InputError
from edgeinfer.rules.zone import Zone
from tests.rules.seen import PLACE, Scene, at, decisions, told

LEFT = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def zone(**options):
    return Zone(Zone.Options(**({"zone": LEFT, "clear_s": 0.0} | options)), PLACE)


def walk(scene, *xs, track=1, start=0):
    return [scene.look(start + n, at(x, track=track)) for n, x in enumerate(xs)]


def test_occupancy_is_how_many_are_in():
    s = Scene()
    seen = [s.look(0), s.look(1, at(0.2), at(0.3, track=2), at(0.8, track=3)), s.look(2, at(0.2))]
    found = decisions(zone(), seen)
    assert [(d.state, d.details) for d in found] == [
        (0, {"tracks": []}),
        (2, {"tracks": [1, 2]}),
        (1, {"tracks": [1]}),
    ]


def test_each_that_comes_in_is_counted_with_its_name():
    s = Scene()
    seen = [s.look(0, at(0.8)), s.look(1, at(0.3), at(0.3, track=2)), s.look(2, at(0.3), at(0.3, track=2))]
    found = decisions(zone(tell="entered"), seen)
    assert [(d.state, d.details) for d in found] == [
        (0, {}),
        (1, {"label": "part", "track": 1}),
        (2, {"label": "part", "track": 2}),
    ]


def test_each_that_goes_out_is_counted_with_the_time_that_it_stayed():
    found = decisions(zone(tell="left"), walk(Scene(), 0.8, 0.3, 0.3, 0.3, 0.8))
    assert [(d.state, d.details) for d in found] == [
        (0, {}),
        (1, {"label": "part", "track": 1, "seconds": 3.0}),
    ]


def test_who_comes_and_goes_is_in_once_it_was_there_for_its_time():
    s = Scene()
    seen = [s.look(0), *walk(s, 0.3, 0.8, 0.3, 0.3, 0.3, start=1)]
    assert told(zone(for_s=1.5), *seen) == [(0, 0), (5, 1)]


def test_a_look_that_misses_somebody_is_no_leaving():
    s = Scene()
    seen = [s.look(0, at(0.3)), s.look(1), s.look(2, at(0.3)), s.look(3), s.look(4), s.look(5)]
    assert told(zone(clear_s=1.5), *seen) == [(0, 1), (5, 0)]


def test_ticks_let_the_time_of_leaving_run_out():
    s = Scene()
    assert told(zone(clear_s=1.5), s.look(0, at(0.3)), s.look(1), s.tick(2), s.tick(3)) == [(0, 1), (3, 0)]


def test_dwell_is_on_once_somebody_stays_too_long_and_off_when_the_last_such_leaves():
    s = Scene()
    seen = [*walk(s, 0.3, 0.3, 0.3, 0.8)]
    found = decisions(zone(tell="dwell", dwell_s=2), seen)
    assert [(d.state, d.details) for d in found] == [
        ("off", {}),
        ("on", {"label": "part", "track": 1, "seconds": 2.0}),
        ("off", {}),
    ]


def test_one_after_the_other_does_not_add_up_to_a_stay():
    s = Scene()
    seen = [s.look(n, at(0.3, track=n)) for n in range(1, 10)]
    assert told(zone(tell="dwell", dwell_s=2), *seen) == [(1, "off")]


def test_ticks_let_a_stay_become_too_long():
    s = Scene()
    assert told(zone(tell="dwell", dwell_s=2), s.look(0, at(0.3)), s.tick(1), s.tick(2)) == [
        (0, "off"),
        (2, "on"),
    ]


def test_the_kind_of_its_state_goes_with_what_it_tells():
    assert [zone(tell=t).states for t in ("occupancy", "entered", "left")] == ["number"] * 3
    assert zone(tell="dwell", dwell_s=1).states == "binary"


@pytest.mark.parametrize("tell", ["occupancy", "entered", "left", "dwell"])
def test_a_lost_source_makes_it_unknown_and_empty_and_ticks_bring_nothing_back(tell):
    s, rule = Scene(), zone(tell=tell, dwell_s=9 * (tell == "dwell"))
    decisions(rule, [s.look(0, at(0.3))])
    assert [d.state for d in decisions(rule, [s.lost(1)])] == ["unknown"]
    assert decisions(rule, [s.tick(2), s.tick(30), s.lost(31), s.back(32)]) == []
    again = decisions(rule, [s.look(33)])
    assert [d.state for d in again] == [{"occupancy": 0, "entered": 1, "left": 0, "dwell": "off"}[tell]]


def test_another_boot_has_other_tracks_and_ticks_of_it_say_nothing():
    s, after, rule = Scene(), Scene(boot="b2"), zone(tell="dwell", dwell_s=2)
    assert told(
        rule, s.look(10, at(0.3)), after.tick(100), after.look(101, at(0.3)), after.look(102, at(0.3))
    ) == [(10, "off")]


def test_what_has_no_identity_is_nobody():
    assert told(zone(), Scene().look(0, at(0.3, track=None))) == [(0, 0)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"zone": ()}, "zone: a polygon has at least 3 corners"),
        ({"zone": ((0, 0), (1, 1))}, "zone: a polygon has at least 3 corners"),
        ({"zone": ((0, 0), (1, 1), (1, 0), (0, 1))}, "zone: its sides cross"),
        ({"tell": "dwell"}, "dwell_s: goes with"),
        ({"dwell_s": 3.0}, "dwell_s: goes with"),
        ({"for_s": -1.0}, "for_s: expected seconds"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(wrong, words):
    with pytest.raises(InputError, match=f"^{words}"):
        zone(**wrong)
