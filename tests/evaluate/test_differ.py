from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.evaluate.differ import differences
from edgeinfer.events import Decision
from tests.samples import at


def decided(s, state="on", rule="r", subject="cam"):
    return Decision("p", rule, subject, state, at(s), (subject, 0))


def told(first, second):
    return [(d.kind, d.rule, d.was, d.now) for d in differences(first, second)]


def test_the_same_decisions_have_no_differences():
    same = [decided(1), decided(2, "off"), decided(1, rule="q")]
    assert differences(same, list(reversed(same))) == []


def test_what_only_one_has_is_missing_or_added():
    assert told([decided(1)], []) == [("missing", "r", "on", None)]
    assert told([], [decided(1)]) == [("added", "r", None, "on")]


def test_the_same_state_a_little_later_is_another_time():
    (found,) = differences([decided(1)], [decided(1.3)])
    assert (found.kind, found.now_ns - found.at_ns) == ("time", 300_000_000)


def test_the_same_state_much_later_is_another_decision():
    assert sorted(kind for kind, *_ in told([decided(1)], [decided(20)])) == ["added", "missing"]


def test_another_state_at_the_same_moment_is_another_state():
    assert told([decided(1, 2)], [decided(1, 3)]) == [("state", "r", 2, 3)]


def test_rules_and_subjects_are_not_mixed_up():
    found = told([decided(1, subject="a")], [decided(1, subject="b")])
    assert sorted(kind for kind, *_ in found) == ["added", "missing"]


RUNS = st.lists(
    st.builds(decided, st.integers(0, 40), st.sampled_from(["on", "off", 1, 2]), st.sampled_from("rq")),
    max_size=8,
)


@given(RUNS, RUNS)
def test_each_decision_is_told_at_most_once_and_the_balance_holds(first, second):
    kinds = [d.kind for d in differences(first, second)]
    assert len(second) - len(first) == kinds.count("added") - kinds.count("missing")
    assert len(differences(first, first)) == 0
