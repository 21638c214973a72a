"""The rules `all`, `any` and `not`."""

import itertools

import pytest

from edgeinfer.errors import InputError
from edgeinfer.rules.combine import All, Any_, Not
from tests.rules.seen import PLACE, Scene, decisions, told

STATES = ("on", "off", "unknown")


def all_(*rules, **options):
    return All(All.Options(rules=rules or ("a", "b"), **options), PLACE)


def any_(*rules, **options):
    return Any_(Any_.Options(rules=rules or ("a", "b"), **options), PLACE)


def last(rule, **states):
    s = Scene()
    found = decisions(rule, [s.decide(n, name, state) for n, (name, state) in enumerate(states.items())])
    return found[-1].state if found else "unknown"


def test_all_and_any_are_the_logic_of_kleene():
    rank = {"off": 0, "unknown": 1, "on": 2}
    for a, b in itertools.product(STATES, STATES):
        assert last(all_(), a=a, b=b) == min(a, b, key=rank.get)
        assert last(any_(), a=a, b=b) == max(a, b, key=rank.get)


def test_not_turns_around():
    def not_():
        return Not(Not.Options(rule="a"), PLACE)

    assert [last(not_(), a=state) for state in STATES] == ["off", "on", "unknown"]


def test_the_states_that_made_it_are_told_about_the_rule_itself():
    (one,) = decisions(any_(), [Scene().decide(0, "a", "on")])
    assert one.details == {"rules": {"a": "on", "b": "unknown"}}
    assert (one.subject, one.rule) == ("rule", "rule")


def test_which_of_them_is_unknown_is_told():
    s = Scene()
    found = decisions(all_(), [s.decide(0, "a", "on"), s.decide(0, "b", "on"), s.decide(1, "b", "unknown")])
    assert [(d.state, d.details) for d in found][1] == ("unknown", {"reason": "unknown: b"})


def test_a_number_is_on_when_there_is_one():
    assert [last(any_("a", "b"), a=n, b="off") for n in (0, 1, 3.5)] == ["off", "on", "on"]


def test_a_rule_that_watches_two_sources_is_on_when_one_of_them_is():
    one, two = Scene("one"), Scene("two")
    seen = [one.decide(0, "a", "off"), two.decide(1, "a", "on"), two.decide(2, "a", "off")]
    assert told(Not(Not.Options(rule="a"), PLACE), *seen) == [(0, "on"), (1, "off"), (2, "on")]


def test_other_rules_and_looks_say_nothing():
    s = Scene()
    assert told(any_(), s.decide(0, "c", "on"), s.look(1, "a"), s.read(2, 1.0), s.lost(3)) == []


def test_it_is_told_once_it_has_held_for_its_time_and_ticks_let_it_run_out():
    s, rule = Scene(), any_("a", "b", for_s=2)
    seen = [s.decide(0, "a", "on"), s.tick(1), s.decide(1.5, "a", "off"), s.decide(2, "a", "on"), s.tick(4)]
    assert told(rule, s.decide(0, "b", "off"), *seen) == [(1.5, "off"), (4, "on")]


def test_a_decision_that_was_overtaken_does_not_take_time_back():
    camera, motor = Scene("belt"), Scene("motor")
    found = decisions(all_(), [motor.decide(1.05, "b", "on"), camera.decide(1.0, "a", "on")])
    assert [(d.at.mono_ns / 1e9, d.state) for d in found] == [(1.05, "on")]


def test_when_the_pipeline_of_the_others_stops_it_is_unknown():
    s, rule = Scene(), all_()
    decisions(rule, [s.decide(0, "a", "on"), s.decide(0, "b", "on")])
    stopped = Scene("rule:a").lost(1, "stopped")
    assert [(d.state, d.details) for d in decisions(rule, [stopped])] == [("unknown", {"reason": "stopped"})]
    assert told(rule, s.decide(2, "a", "on")) == []


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (("a",), "rules: expected the names of 2"),
        (("a", ""), "rules: expected the name"),
        (("a", "rule:a"), "rules: names 'a' twice"),
    ],
)
def test_a_wrong_list_of_rules_is_refused(rules, words):
    with pytest.raises(InputError, match=f"^{words}"):
        all_(*rules)
