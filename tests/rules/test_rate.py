"""The rule `rate`."""

import pytest

from edgeinfer.errors import InputError
from edgeinfer.rules.rate import Rate
from tests.rules.seen import PLACE, Scene, at, decisions, told


def rate(**options):
    return Rate(Rate.Options(**({"window_s": 20, "every_s": 5} | options)), PLACE)


def belt(scene, start, end, every=2):
    """A new part each `every` seconds, a look each second."""
    return [scene.look(s, at(0.5, track=int(s // every) + 1)) for s in range(start, end)]


def test_it_is_told_once_a_window_was_observed_and_again_only_when_it_changed():
    s = Scene()
    seen = [*belt(s, 0, 41), *(s.look(n) for n in range(41, 61))]
    found = decisions(rate(), seen)
    assert [(d.at.mono_ns // 10**9, d.state) for d in found] == [
        (20, 30.0),
        (45, 24.0),
        (50, 15.0),
        (55, 9.0),
        (60, 0.0),
    ]
    assert found[0].details == {"count": 10}


def test_an_identity_counts_once():
    s = Scene()
    assert told(rate(), *(s.look(n, at(0.5)) for n in range(21))) == [(20, 0.0)]


def test_with_a_zone_it_counts_who_comes_in():
    s, zone = Scene(), ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))
    seen = [s.look(n, at(0.9 if n < 10 else 0.2)) for n in range(21)]
    assert told(rate(zone=zone), *seen) == [(20, 3.0)]


def test_a_gap_is_cut_out_of_the_window():
    s = Scene()
    seen = [*belt(s, 0, 21), s.lost(21), s.tick(25), s.tick(30), s.back(31), *belt(s, 32, 38)]
    assert told(rate(), *seen) == [(20, 30.0), (21, "unknown"), (32, 33.0)]


def test_a_gap_longer_than_the_window_begins_it_anew():
    s = Scene()
    seen = [*belt(s, 0, 21), s.lost(21), *belt(s, 100, 121)]
    assert told(rate(), *seen) == [(20, 30.0), (21, "unknown"), (120, 30.0)]


def test_another_boot_begins_it_anew():
    seen = [*belt(Scene(), 50, 60), *belt(Scene(boot="b2"), 0, 20)]
    assert told(rate(), *seen) == []


def test_it_counts_how_much_the_number_of_another_rule_grew_and_time_is_the_tick_s():
    s, rule = Scene(), rate(rule="gate")
    seen = [
        s.decide(0, "gate", 100),
        s.decide(1, "gate", 103),
        s.decide(2, "other", 900),
        s.decide(3, "gate", 1),
    ]
    assert told(rule, *seen, *(s.tick(n) for n in range(4, 21))) == [(20, 9.0)]
    assert rule.inputs == ("gate",)
    assert not rule.tracks


def test_it_counts_how_often_another_rule_came_on():
    s = Scene()
    seen = [s.decide(n, "bad", "on" if n % 2 else "off") for n in range(21)]
    assert told(rate(rule="bad"), *seen) == [(20, 30.0)]


def test_another_rule_that_is_unknown_is_a_gap():
    s = Scene()
    seen = [
        s.decide(0, "gate", 0),
        s.tick(20),
        s.decide(21, "gate", "unknown"),
        s.tick(26),
        s.decide(27, "gate", 50),
    ]
    assert told(rate(rule="gate"), *seen) == [(20, 0.0), (21, "unknown"), (27, 0.0)]


def test_a_rule_that_has_chosen_is_not_chosen_from_again():
    with pytest.raises(InputError, match="^rule: goes without labels"):
        rate(rule="gate", labels="a")
