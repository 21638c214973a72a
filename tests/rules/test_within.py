"""The rule `within`."""

import itertools

import pytest

from edgeinfer.errors import InputError
from edgeinfer.rules.within import Within
from tests.rules.seen import PLACE, Scene, decisions, told

S = Scene()


def within(*rules, s=0.2):
    """Of rules that are known to be off."""
    rule = Within(Within.Options(rules=rules or ("a", "b"), within_s=s), PLACE)
    decisions(rule, [S.decide(0, name, "off") for name in rule.inputs])
    return rule


def test_it_is_off_when_all_are_known():
    rule = Within(Within.Options(rules=("a", "b"), within_s=1), PLACE)
    assert told(rule, S.decide(0, "a", "off"), S.decide(1, "b", "off")) == [(1, "off")]


def test_on_at_once_is_within_any_time():
    (one,) = decisions(within(), [S.decide(1, "a", "on"), S.decide(9, "b", "on")])
    assert (one.state, one.details) == ("on", {"before_s": {"a": 8.0, "b": 0.0}})


def test_one_that_ended_a_moment_ago_counts():
    seen = [S.decide(1, "a", "on"), S.decide(1.1, "a", "off"), S.decide(1.3, "b", "on")]
    assert told(within(), *seen) == [(1.3, "on")]


def test_one_that_ended_too_long_ago_does_not():
    seen = [S.decide(1, "a", "on"), S.decide(1.1, "a", "off"), S.decide(1.31, "b", "on")]
    assert told(within(), *seen) == []


def test_it_goes_off_once_one_of_them_has_been_off_for_longer_and_does_not_come_on_by_itself():
    seen = [
        S.decide(1, "a", "on"),
        S.decide(1, "b", "on"),
        S.decide(2, "a", "off"),
        S.tick(2.1),
        S.tick(2.3),
        S.tick(3),
    ]
    assert told(within(), *seen) == [(1, "on"), (2.3, "off")]


def test_the_next_coincidence_takes_another_coming_on():
    seen = [
        S.decide(1, "a", "on"),
        S.decide(1, "b", "on"),
        S.decide(2, "a", "off"),
        S.tick(3),
        S.decide(4, "a", "on"),
    ]
    assert told(within(), *seen) == [(1, "on"), (3, "off"), (4, "on")]


def test_which_decision_comes_first_does_not_matter():
    a, b = (
        [S.decide(1, "a", "on"), S.decide(1.02, "a", "off")],
        [S.decide(1.1, "b", "on"), S.decide(1.15, "b", "off")],
    )
    for way in itertools.permutations([*a, *b]):
        if way.index(a[0]) < way.index(a[1]) and way.index(b[0]) < way.index(b[1]):
            assert "on" in [state for _, state in told(within(), *way)]


def test_three_have_to_be_there():
    seen = [S.decide(1, "a", "on"), S.decide(1.1, "b", "on"), S.decide(1.2, "c", "on")]
    assert told(within("a", "b", "c"), *seen) == [(1.2, "on")]


def test_an_unknown_one_makes_it_unknown():
    seen = [
        S.decide(1, "a", "unknown"),
        S.decide(2, "b", "on"),
        S.decide(3, "a", "off"),
        S.decide(4, "a", "on"),
    ]
    assert told(within(), *seen) == [(1, "unknown"), (3, "off"), (4, "on")]


def test_another_boot_is_another_clock():
    after = Scene(boot="b2")
    seen = [S.decide(50, "a", "on"), after.tick(2), after.decide(3, "a", "off"), after.decide(3.1, "b", "on")]
    assert told(within(), *seen) == []


def test_no_time_at_all_is_another_rule():
    with pytest.raises(InputError, match='^within_s: .*kind = "all"'):
        within(s=0)
