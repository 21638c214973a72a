"""What holds for every rule that watches other rules, whatever they tell and in whatever order it comes."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.rules.combine import All, Any_, Not
from edgeinfer.rules.sequence import Sequence
from edgeinfer.rules.within import Within
from tests.rules.seen import PLACE, Scene, decisions

SECONDS = st.sampled_from([0.0, 0.25, 1.0])
RULES = st.one_of(
    st.builds(
        lambda f, c: lambda: All(All.Options(rules=("a", "b"), for_s=f, clear_s=c), PLACE), SECONDS, SECONDS
    ),
    st.builds(
        lambda f, c: lambda: Any_(Any_.Options(rules=("a", "b"), for_s=f, clear_s=c), PLACE), SECONDS, SECONDS
    ),
    st.builds(lambda f: lambda: Not(Not.Options(rule="a", for_s=f), PLACE), SECONDS),
    st.builds(
        lambda t: lambda: Within(Within.Options(rules=("a", "b"), within_s=t), PLACE),
        st.sampled_from([0.1, 1.0]),
    ),
    st.builds(
        lambda t, tell: lambda: Sequence(Sequence.Options(first="a", then="b", within_s=t, tell=tell), PLACE),
        st.sampled_from([0.1, 1.0]),
        st.sampled_from(["followed", "missed"]),
    ),
)
STATES = st.sampled_from(["on", "off", "unknown", 0, 1, 2.5])
STEPS = st.lists(
    st.tuples(
        st.sampled_from([-0.3, 0, 0.001, 0.1, 0.25, 1.0]),  # decisions overtake one another
        st.sampled_from(["boot1"] * 9 + ["boot2"]),
        st.sampled_from(["belt", "motor"]),
        st.tuples(st.sampled_from(["a", "b", "c"]), STATES) | st.just("tick") | st.sampled_from(["lost"]),
    ),
    max_size=30,
)


def observed(steps):
    s, seen = 10.0, []
    scenes = {
        (boot, source): Scene(source, boot) for boot in ("boot1", "boot2") for source in ("belt", "motor")
    }
    for step, boot, source, what in steps:
        s += step
        scene = scenes[boot, source]
        seen.append(getattr(scene, what)(s) if isinstance(what, str) else scene.decide(s, *what))
    return seen


@given(RULES, STEPS)
def test_no_state_is_told_twice_in_a_row_and_none_begins_with_unknown(rule, steps):
    last = "unknown"
    for decision in decisions(rule(), observed(steps)):
        assert decision.state != last
        assert decision.subject == PLACE.rule
        last = decision.state


@given(RULES, STEPS)
def test_within_one_boot_decisions_are_in_order_of_time(rule, steps):
    seen = [o for o in observed(steps) if o.at.boot == "boot1"]
    moments = [d.at.mono_ns for d in decisions(rule(), seen)]
    assert moments == sorted(moments)


@given(RULES, STEPS, st.lists(st.integers(-(10**18), 10**18), min_size=30, max_size=30))
def test_jumps_of_the_wall_clock_change_only_what_is_written_as_wall_clock(rule, steps, jumps):
    seen = observed(steps)
    jumped = [replace(o, at=replace(o.at, unix_ns=o.at.unix_ns + j)) for o, j in zip(seen, jumps)]
    plain = [(d.key, d.state, d.at.mono_ns, d.details) for d in decisions(rule(), seen)]
    assert [(d.key, d.state, d.at.mono_ns, d.details) for d in decisions(rule(), jumped)] == plain


@given(RULES, STEPS)
def test_when_the_others_stop_it_is_unknown_until_they_tell_something(rule, steps):
    made = rule()
    decisions(made, observed(steps))
    decisions(made, [Scene("rule:a").lost(1000, "stopped")])
    scene = Scene()
    assert decisions(made, [scene.tick(1001), scene.tick(2000), scene.lost(2001)]) == []


@given(RULES, STEPS)
def test_rules_that_it_does_not_watch_change_nothing_but_the_keys(rule, steps):
    seen = observed(steps)
    ours = [o for o in seen if getattr(o, "rule", "a") != "c"]
    assert decisions(rule(), seen) == decisions(rule(), ours)
