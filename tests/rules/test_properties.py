"""What holds for every rule, whatever it sees."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.events import Detection, Score
from edgeinfer.geometry import Box
from edgeinfer.rules.absence import Absence
from edgeinfer.rules.change import Change
from edgeinfer.rules.count import Count
from edgeinfer.rules.line import Line
from edgeinfer.rules.presence import Presence
from edgeinfer.rules.rate import Rate
from edgeinfer.rules.threshold import Threshold
from edgeinfer.rules.zone import Zone
from tests.rules.seen import PLACE, Scene, decisions

ZONE = ((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0))


def tracked(label, score, x, track):
    return Detection(label, score, Box(x, 0.4, x + 0.1, 0.6), track)


SECONDS = st.sampled_from([0.0, 0.1, 0.25, 1.0, 3.0])
SHARES = st.sampled_from([0.0, 0.2, 0.5, 0.7, 1.0])
FINDINGS = st.lists(
    st.builds(Detection, st.sampled_from("ab"), SHARES, st.just(Box(0.4, 0.4, 0.6, 0.6)))
    | st.builds(tracked, st.sampled_from("ab"), SHARES, st.sampled_from([0.1, 0.4, 0.6]), st.integers(1, 3))
    | st.builds(Score, st.just("a"), SHARES),
    max_size=3,
)
NUMBERS = st.sampled_from([0.0, 0.3, 0.5, 0.6, 0.9, float("nan"), float("inf")])
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1_000_000, 100_000_000, 250_000_000, 1_000_000_000]),
        st.sampled_from(["belt", "gate"]),
        st.tuples(st.just("look"), FINDINGS)
        | st.tuples(st.just("read"), st.lists(NUMBERS, min_size=1, max_size=4), st.booleans())
        | st.tuples(st.sampled_from(["tick", "lost", "back"])),
    ),
    max_size=30,
)
RULES = st.one_of(
    st.builds(
        lambda f, c: lambda: Presence(Presence.Options(label="a", for_s=f, clear_s=c), PLACE),
        SECONDS,
        SECONDS,
    ),
    st.builds(
        lambda f, c: (
            lambda: Threshold(
                Threshold.Options(value="a", on_above=0.6, off_below=0.4, for_s=f, clear_s=c), PLACE
            )
        ),
        SECONDS,
        SECONDS,
    ),
    st.builds(lambda f: lambda: Count(Count.Options(for_s=f), PLACE), SECONDS),
    st.builds(
        lambda tell, f, c: (
            lambda: Zone(
                Zone.Options(zone=ZONE, tell=tell, for_s=f, clear_s=c, dwell_s=0.5 * (tell == "dwell")), PLACE
            )
        ),
        st.sampled_from(["occupancy", "entered", "left", "dwell"]),
        SECONDS,
        SECONDS,
    ),
    st.builds(
        lambda again, way: (
            lambda: Line(Line.Options(line=((0.5, 0.0), (0.5, 1.0)), again=again, direction=way), PLACE)
        ),
        st.booleans(),
        st.sampled_from(["both", "forward", "backward"]),
    ),
    st.builds(
        lambda w: lambda: Rate(Rate.Options(window_s=w, every_s=0.5), PLACE), st.sampled_from([0.5, 2.0])
    ),
    st.builds(lambda new: lambda: Absence(Absence.Options(for_s=0.3, new=new), PLACE), st.booleans()),
    st.builds(
        lambda method, learn: lambda: Change(Change.Options(value="a", method=method, learn=learn), PLACE),
        st.sampled_from(["cusum", "ewma"]),
        st.integers(2, 5),
    ),
)


def observed(steps):
    scenes, s, seen = {name: Scene(name) for name in ("belt", "gate")}, 0.0, []
    for ns, source, (what, *rest) in steps:
        s, scene = s + ns / 1e9, scenes[source]
        if what == "look":
            seen.append(scene.look(s, *rest[0]))
        elif what == "read":
            seen.append(scene.read(s, *rest[0], channel="a", period_s=0.05, gap=rest[1]))
        else:
            seen.append(getattr(scene, what)(s))
    return seen


@given(RULES, STEPS)
def test_no_state_is_told_twice_in_a_row_and_none_begins_with_unknown(rule, steps):
    last = {"belt": "unknown", "gate": "unknown"}
    for decision in decisions(rule(), observed(steps)):
        assert decision.state != last[decision.subject]
        last[decision.subject] = decision.state


@given(RULES, STEPS)
def test_the_same_observations_give_the_same_decisions(rule, steps):
    assert decisions(rule(), observed(steps)) == decisions(rule(), observed(steps))


@given(RULES, STEPS, st.lists(st.integers(-(10**18), 10**18), min_size=30, max_size=30))
def test_jumps_of_the_wall_clock_change_only_what_is_written_as_wall_clock(rule, steps, jumps):
    seen = observed(steps)
    jumped = [replace(o, at=replace(o.at, unix_ns=o.at.unix_ns + j)) for o, j in zip(seen, jumps)]
    plain = [(d.key, d.state, d.at.mono_ns, d.details) for d in decisions(rule(), seen)]
    assert [(d.key, d.state, d.at.mono_ns, d.details) for d in decisions(rule(), jumped)] == plain


@given(RULES, STEPS)
def test_decisions_of_one_subject_are_in_order_and_name_what_was_seen(rule, steps):
    seen = observed(steps)
    keys = {o.key for o in seen}
    for subject in ("belt", "gate"):
        found = [d for d in decisions(rule(), seen) if d.subject == subject]
        assert [d.key[1] for d in found] == sorted(d.key[1] for d in found)
        assert all(d.key in keys for d in found)


@given(RULES, STEPS)
def test_after_a_loss_the_state_is_unknown_until_something_is_seen(rule, steps):
    made, scene = rule(), Scene("belt")
    decisions(made, observed(steps))
    made.observe(scene.lost(1000))
    assert decisions(made, [scene.back(1001), scene.tick(2000), scene.lost(2001)]) == []


@given(RULES, STEPS)
def test_sources_do_not_influence_one_another(rule, steps):
    seen = observed(steps)
    together = [d for d in decisions(rule(), seen) if d.subject == "belt"]
    assert decisions(rule(), [o for o in seen if o.key[0] == "belt"]) == together


@given(st.lists(st.floats(0.4, 0.6), min_size=1, max_size=40), SECONDS)
def test_hysteresis_never_chatters(values, hold):
    scene = Scene("motor")
    rule = Threshold(Threshold.Options(value="a", on_above=0.6, off_below=0.4), PLACE)
    for first in (0.7, 0.3):
        decisions(rule, [scene.read(0, first, channel="a")])
        assert decisions(rule, [scene.read(t, v, channel="a") for t, v in enumerate(values)]) == []


@given(st.lists(NUMBERS, min_size=1, max_size=20), SECONDS, SECONDS, st.integers(1, 7))
def test_how_readings_are_cut_into_blocks_does_not_matter(values, for_s, clear_s, size):
    def run(block):
        scene = Scene("motor")
        options = Threshold.Options(value="a", on_above=0.6, off_below=0.4, for_s=for_s, clear_s=clear_s)
        rule = Threshold(options, PLACE)
        blocks = [
            scene.read(start * 0.1, *values[start : start + block], channel="a", period_s=0.1)
            for start in range(0, len(values), block)
        ]
        return [(d.at.mono_ns, d.state, d.details) for d in decisions(rule, blocks)]

    assert run(1) == run(size)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_readings_of_any_number_type_are_understood(dtype):
    scene = Scene("motor")
    block = scene.read(0, 0, 1, channel="a", period_s=0.1)
    rule = Threshold(Threshold.Options(value="a", on_above=0.5), PLACE)
    assert [d.state for d in rule.observe(replace(block, values=block.values.astype(dtype)))] == ["off", "on"]
