"""The rule `drift`."""

from dataclasses import replace

import numpy as np
import pytest

from edgeinfer.distributions import Gathering
from edgeinfer.errors import InputError
from edgeinfer.events import Score
from edgeinfer.rules.drift import Drift
from tests.rules.seen import PLACE, Scene


def looks(scene, n, mean, start=0, seed=0):
    """`n` looks ten times a second at a picture of about that brightness, each with a score of one of two classes."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        label = "good" if rng.random() < 0.7 else "bad"
        seen = scene.look((start + i) / 10, Score(label, float(rng.uniform(0.6, 1))))
        yield replace(seen, measures={"brightness": (float(rng.normal(mean, 5)),)})


def reference():
    found = Gathering()
    for seen in looks(Scene(), 2000, 120, seed=1):
        found.add(seen)
    return found.reference(200)


def drift(**options):
    return Drift(Drift.Options(**options), replace(PLACE, reference=reference()))


def told(rule, *seen):
    return [decision for one in seen for decision in rule.observe(one)]


@pytest.mark.parametrize("statistic", ["psi", "js"])
def test_the_same_world_is_off(statistic):
    above = {"psi": 0.25, "js": 0.05}[statistic]
    decisions = told(drift(statistic=statistic, above=above), *looks(Scene(), 3000, 120))
    assert [d.state for d in decisions] == ["off"]


@pytest.mark.parametrize("statistic", ["psi", "js"])
def test_a_darker_world_is_on_and_says_what_parted_and_how_much(statistic):
    rule, scene = drift(statistic=statistic, above={"psi": 0.25, "js": 0.05}[statistic]), Scene()
    told(rule, *looks(scene, 1000, 120))
    (on,) = told(rule, *looks(scene, 1000, 90, start=1000, seed=2))
    assert on.state == "on"
    assert on.details["measure"] == "brightness"
    assert on.details["statistic"] == statistic
    assert on.details["value"] > 0.05
    assert on.details["samples"] >= 200


def test_other_shares_of_classes_are_on():
    rule, scene = drift(measures=("classes",)), Scene()
    (on,) = told(rule, *(scene.look(n / 10, Score("bad", 0.9)) for n in range(400)))
    assert (on.state, on.details["measure"]) == ("on", "classes")


def test_it_comes_back_once_the_window_holds_the_usual_again():
    rule, scene = drift(), Scene()
    states = [d.state for d in told(rule, *looks(scene, 600, 90), *looks(scene, 2000, 120, start=600))]
    assert states == ["on", "off"]


def test_too_few_samples_say_nothing():
    assert told(drift(min_samples=200), *looks(Scene(), 199, 90)) == []


def test_many_findings_in_a_look_do_not_speak_before_the_picture_can():
    rule, scene = drift(), Scene()
    seen = [replace(s, findings=s.findings * 5) for s in looks(scene, 199, 90)]
    assert told(rule, *seen) == []
    (first,) = told(rule, *looks(scene, 20, 90, start=199))
    assert (first.state, first.details["measure"]) == ("on", "brightness")


def test_it_has_to_hold_for_its_time():
    (on,) = told(drift(for_s=30.0), *looks(Scene(), 1000, 90))
    assert on.at.mono_ns / 1e9 >= 19.9 + 30


def test_a_lost_source_is_unknown_and_what_was_counted_is_forgotten():
    rule, scene = drift(), Scene()
    told(rule, *looks(scene, 400, 90))
    (unknown,) = told(rule, scene.lost(40, "cable"))
    assert (unknown.state, unknown.details) == ("unknown", {"reason": "cable"})
    assert told(rule, *looks(scene, 199, 90, start=400)) == []


def test_without_a_reference_it_is_unknown_once_with_the_reason():
    (only,) = told(Drift(Drift.Options(), PLACE), *looks(Scene(), 500, 120))
    assert only.state == "unknown"
    assert "edgeinfer model reference" in only.details["reason"]


def test_a_measure_that_the_reference_lacks_is_named():
    (only,) = told(drift(measures=("channel:x",)), *looks(Scene(), 5, 120))
    assert "has no channel:x (it has: " in only.details["reason"]


def test_a_value_that_is_no_number_is_not_counted():
    rule, scene = drift(measures=("brightness",)), Scene()
    nan = (replace(s, measures={"brightness": (float("nan"),)}) for s in looks(scene, 500, 120))
    assert told(rule, *nan) == []


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"above": 1.0, "statistic": "js"}, "above: expected less than 1"),
        ({"below": 0.3}, r"below: expected at most above \(0.25\), found 0.3"),
        ({"min_samples": 600}, "window: expected at least twice min_samples"),
    ],
)
def test_wrong_options_are_told_by_their_key(options, text):
    with pytest.raises(InputError, match=text):
        Drift(Drift.Options(**options), PLACE)
