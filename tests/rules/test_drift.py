"""The rule `drift`."""

import msgspec
import numpy as np
import pytest

from edgeinfer.errors import InputError
from edgeinfer.ports import RulePlace
from edgeinfer.rules.distributions import Reference, reference
from edgeinfer.rules.drift import Drift
from tests.rules.seen import Scene, decisions


def values(n, mean=10.0, seed=1):
    return np.random.default_rng(seed).normal(mean, 2.0, n).tolist()


USUAL = reference({"value:temp": values(5000), "share": ["good"] * 900 + ["bad"] * 100}, "a good day")


def place(usual=USUAL):
    return RulePlace("p", "rule", reference=lambda: msgspec.json.encode(usual) if usual else None)


def drift(usual=USUAL, **options):
    return Drift(Drift.Options(**options), place(usual))


def looks(s, start, numbers):
    return [s.value(start + n * 0.1, "temp", number) for n, number in enumerate(numbers)]


@pytest.mark.parametrize("method", ["psi", "jensen_shannon"])
def test_what_parts_from_the_reference_is_found_and_its_end_too(method):
    s = Scene()
    seen = (
        looks(s, 0, values(1000, seed=2))
        + looks(s, 100, values(1500, 14.0, 3))
        + looks(s, 250, values(4000, seed=4))
    )
    found = decisions(drift(measures=("value:temp",), method=method), seen)
    assert [d.state for d in found] == ["off", "on", "off"]
    assert 100 < found[1].at.mono_ns / 1e9 < 160
    assert found[1].details["measure"] == "value:temp"
    assert found[1].details["method"] == method


def test_nothing_is_known_before_as_many_values_as_it_remembers():
    s = Scene()
    assert decisions(drift(measures=("value:temp",)), looks(s, 0, values(499, 50.0))) == []


@pytest.mark.parametrize("seed", range(20))
def test_the_usual_is_no_drift(seed):
    found = decisions(drift(measures=("value:temp",)), looks(Scene(), 0, values(3000, seed=seed + 10)))
    assert [d.state for d in found] == ["off"]


def test_other_labels_are_a_drift_and_a_new_one_too():
    for label in ("bad", "strange"):
        s = Scene()
        seen = [s.look(n * 0.1, "good") for n in range(900)] + [
            s.look(100 + n * 0.1, label) for n in range(600)
        ]
        found = decisions(drift(measures=("share",)), seen)
        assert found[-1].state == "on"
        assert found[-1].details["measure"] == "share"


def test_channels_of_readings_are_compared_row_by_row():
    s = Scene()
    blocks = [s.read(n, *values(20, 20.0, n), period_s=0.01) for n in range(100)]
    assert [d.state for d in decisions(drift(measures=("value:temp",)), blocks)] == ["on"]


def test_a_lost_source_makes_it_unknown_and_it_is_known_again_at_the_next_comparison():
    s = Scene()
    rule = drift(measures=("value:temp",))
    decisions(rule, looks(s, 0, values(600)))
    assert [d.state for d in decisions(rule, [s.lost(61)])] == ["unknown"]
    assert [d.state for d in decisions(rule, looks(s, 62, values(25)))] == ["off"]


def test_a_part_that_speaks_for_another_state_has_to_hold():
    s = Scene()
    rule = drift(measures=("value:temp",), for_s=1000)
    seen = looks(s, 0, values(600)) + looks(s, 60, values(600, 30.0))
    assert [d.state for d in decisions(rule, seen)] == ["off"]


def test_it_gives_nothing_where_nobody_has_a_reference():
    assert decisions(drift(None), looks(Scene(), 0, values(1000))) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"measures": ("value:humidity",)}, "has no 'value:humidity'; it has: share, value:temp"),
        ({"on_above": 0.05, "off_below": 0.1}, "off_below"),
    ],
)
def test_wrong_options_are_told(options, told):
    with pytest.raises(InputError, match=told):
        drift(**options)


def test_a_reference_of_a_later_version_is_told():
    raw = msgspec.json.encode(Reference({})).replace(b'"format":1', b'"format":2')
    with pytest.raises(InputError, match="another version"):
        Drift(Drift.Options(), RulePlace("p", "r", reference=lambda: raw))
