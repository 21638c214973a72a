"""The rule `sequence`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.rules.sequence import Sequence
from tests.rules.seen import PLACE, Scene, decisions, told

S = Scene()


def sequence(**options):
    return Sequence(Sequence.Options(**({"first": "a", "then": "b", "within_s": 2} | options)), PLACE)


def on(*moments):
    """Coming on at (seconds, rule), and going off a little later."""
    return [
        S.decide(s + late, rule, state) for s, rule in moments for late, state in ((0, "on"), (0.01, "off"))
    ]


def test_what_follows_in_time_is_told_and_the_next_first_begins_anew():
    found = decisions(sequence(), on((0, "a"), (1, "b"), (5, "a"), (6, "b")))
    assert [(d.at.mono_ns / 1e9, d.state) for d in found] == [(0, "off"), (1, "on"), (5, "off"), (6, "on")]
    assert found[1].details == {"after_s": 1.0}


def test_what_follows_too_late_or_before_is_no_sequence():
    assert told(sequence(), *on((0, "b"), (1, "a"), (3.5, "b"))) == [(1, "off")]


def test_both_in_one_moment_is_no_sequence():
    assert told(sequence(), S.decide(1, "a", "on"), S.decide(1, "b", "on")) == [(1, "off")]


def test_each_counts_once():
    assert told(sequence(), *on((0, "a"), (1, "b"), (1.5, "b"))) == [(0, "off"), (1, "on")]


def test_missed_is_on_when_nothing_follows_in_time_and_off_when_something_does():
    seen = [*on((0, "a")), S.tick(1), S.tick(3), *on((5, "a"), (6, "b"))]
    found = decisions(sequence(tell="missed"), seen)
    assert [(d.at.mono_ns / 1e9, d.state, d.details) for d in found] == [
        (3, "on", {"waited_s": 3.0}),
        (6, "off", {"after_s": 1.0}),
    ]


def test_a_number_that_grows_happens_as_often_as_it_grew():
    seen = [S.decide(0, "a", 7), S.decide(0.5, "a", 9), *on((1, "b"), (1.5, "b"))]
    assert [s for _, s in told(sequence(tell="missed"), *seen, S.tick(9))] == ["off"]


def test_a_decision_that_was_overtaken_is_sorted_in():
    seen = [S.decide(1.5, "b", "on"), S.decide(1.0, "a", "on")]
    assert told(sequence(), *seen) == [(1.5, "off"), (1.5, "on")]


def test_an_unknown_rule_ends_all_waiting():
    seen = [S.decide(0, "a", "on"), S.decide(1, "b", "unknown"), S.decide(1.5, "b", "on"), S.tick(9)]
    assert told(sequence(tell="missed"), *seen) == []
    assert told(sequence(), *seen) == [(0, "off"), (1, "unknown")]


def test_another_boot_ends_all_waiting():
    after = Scene(boot="b2")
    assert told(sequence(), *on((100, "a")), after.decide(1, "b", "on"), after.tick(500)) == [(100, "off")]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab")), max_size=20))
def test_the_oldest_that_still_waits_is_followed_whatever_comes(steps):
    now, waiting, expected, seen = 0, [], ["unknown"], []
    for gap, rule in steps:
        now += gap
        seen.append(S.decide(now, rule, "on"))
        waiting = [w for w in waiting if now - w <= 2]
        state = "off" if rule == "a" else expected[-1]
        if rule == "a":
            waiting.append(now)
        elif fit := [w for w in waiting if w < now]:
            waiting.remove(fit[0])
            state = "on"
        expected += [state] * (state != expected[-1])
    assert [state for _, state in told(sequence(), *seen)] == expected[1:]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"then": "a"}, "then: is 'a' like `first`"),
        ({"within_s": 0}, "within_s: "),
        ({"first": ""}, "first: "),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(wrong, words):
    with pytest.raises(InputError, match=f"^{words}"):
        sequence(**wrong)
