from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.events import Decision, Entry, Gap, Instant
from edgeinfer.wire.batches import Group, grouped, is_number

AT = Instant("9f2c", 0, 0)


def entry(seq, rule="temp", state=1.0):
    return Entry(seq, f"id{seq}", "9f2c", "press-07", Decision("p", rule, "s", state, AT, ("s", seq)))


def numbers(*rules):
    return [entry(seq, rule) for seq, rule in enumerate(rules, 1)]


def told(batch):
    return [
        (item.first, item.last) if isinstance(item, Gap) else ([e.seq for e in item.entries], item.settles)
        for item in grouped(batch)
    ]


def test_numbers_of_a_rule_travel_together():
    assert told(numbers("a", "a", "a")) == [([1, 2, 3], 3)]


def test_each_rule_has_a_message_which_settles_what_lies_before_the_next():
    assert told(numbers("a", "b", "a", "b")) == [([1, 3], 1), ([2, 4], 4)]


def test_a_state_parts_those_before_it_from_those_behind_it():
    assert told([entry(1), entry(2, "door", "on"), entry(3)]) == [([1], 1), ([2], 2), ([3], 3)]


def test_a_gap_parts_them_too():
    assert told([entry(1), Gap(2, 5), entry(6)]) == [([1], 1), (2, 5), ([6], 6)]


def test_a_message_is_never_without_end():
    assert [len(group.entries) for group in grouped(numbers(*"a" * 250))] == [100, 100, 50]


def test_a_number_that_is_unknown_waits_for_nobody():
    assert not is_number(entry(1, state="unknown"))
    assert is_number(entry(1, state=3))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([1.0, 2, "on", "unknown"])), max_size=300))
def test_everything_is_told_once_and_a_broken_connection_loses_nothing(items):
    batch = [entry(seq, rule, state) for seq, (rule, state) in enumerate(items, 1)]
    groups = [item for item in grouped(batch) if isinstance(item, Group)]
    seen = set()
    before = 0
    for group in groups:
        seen |= {e.seq for e in group.entries}
        assert set(range(1, group.settles + 1)) <= seen
        assert group.settles > before
        before = group.settles
    assert before == len(batch)
    assert sorted(e.seq for g in groups for e in g.entries) == [e.seq for e in batch]
    for rule in "abc":
        own = [e.seq for g in groups for e in g.entries if e.decision.rule == rule]
        assert own == sorted(own)
