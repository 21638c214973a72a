"""The rule `threshold`."""

import pytest

from edgeinfer.errors import InputError
from edgeinfer.rules.threshold import Threshold
from tests.rules.seen import PLACE, Scene, decisions, told


def threshold(**options):
    if not {"on_above", "on_below"} & set(options):
        options |= {"on_above": 80.0, "off_below": 75.0}
    return Threshold(Threshold.Options(**({"value": "temp"} | options)), PLACE)


def test_above_is_on_below_is_off_and_in_between_keeps_the_state():
    s = Scene("motor")
    seen = [s.read(t, v) for t, v in enumerate((70, 78, 81, 78, 75, 74, 80))]
    assert told(threshold(), *seen) == [(0, "off"), (2, "on"), (5, "off")]


def test_it_can_be_mirrored():
    s = Scene("tank")
    seen = [s.read(t, v) for t, v in enumerate((9, 4, 2, 4, 6))]
    assert told(threshold(on_below=3.0, off_above=5.0), *seen) == [(0, "off"), (2, "on"), (4, "off")]


def test_without_an_off_bound_both_are_one():
    s = Scene("motor")
    seen = [s.read(t, v) for t, v in enumerate((80, 80.1, 80, 79.9))]
    assert told(threshold(on_above=80.0), *seen) == [(1, "on"), (3, "off")]


def test_in_between_from_the_start_is_unknown():
    s = Scene("motor")
    assert told(threshold(), s.read(0, 78), s.tick(100)) == []


def test_a_value_has_to_hold_for_its_time_and_in_between_starts_over():
    s = Scene("motor")
    seen = [s.read(0, 81), s.read(1, 78), s.read(1.5, 81), s.read(3, 82), s.read(3.5, 83)]
    assert told(threshold(for_s=2), *seen) == [(3.5, "on")]


def test_a_tick_lets_time_go_by_for_a_slow_sensor():
    s = Scene("motor")
    assert told(threshold(for_s=5), s.read(0, 81), s.tick(4), s.tick(5)) == [(5, "on")]


def test_a_gap_starts_holding_times_over():
    s = Scene("motor")
    seen = [s.read(0, 81), s.read(5, 81, gap=True), s.read(6, 81), s.read(7, 81)]
    assert told(threshold(for_s=2), *seen) == [(7, "on")]


def test_a_block_decides_at_the_moment_of_the_row():
    s = Scene("motor")
    assert told(threshold(), s.read(1, 70, 70, 90, 70, period_s=0.25)) == [
        (1, "off"),
        (1.5, "on"),
        (1.75, "off"),
    ]


def test_nan_is_told_at_once_as_unknown_and_the_next_number_starts_over():
    s = Scene("motor")
    nan = float("nan")
    found = decisions(threshold(for_s=1), [s.read(0, 81, 81, nan, 81, 81, period_s=1), s.read(5, nan, nan)])
    assert [(d.at.mono_ns / 1e9, d.state) for d in found] == [
        (1, "on"),
        (2, "unknown"),
        (4, "on"),
        (5, "unknown"),
    ]
    assert found[1].details == {"reason": "temp is not a number"}


def test_infinity_is_beyond_any_bound_and_is_told_as_text():
    s = Scene("motor")
    (on,) = decisions(threshold(), [s.read(0, float("inf"))])
    assert (on.state, on.details) == ("on", {"name": "temp", "value": "inf"})


def test_another_channel_says_nothing():
    s = Scene("motor")
    assert told(threshold(), s.read(0, 90, channel="rpm")) == []


def test_a_class_score_is_a_value_and_a_label_left_out_is_low():
    s = Scene()
    rule = threshold(value="anomaly", on_above=0.8, off_below=0.5)
    seen = [s.scores(0, good=0.9), s.scores(1, anomaly=0.9, good=0.1), s.scores(2, anomaly=0.6), s.look(3)]
    assert told(rule, *seen) == [(0, "off"), (1, "on"), (3, "off")]


def test_a_value_read_off_a_picture_is_a_value_and_when_it_is_not_read_nothing_is_said():
    s = Scene()
    rule = threshold(value="pressure", on_above=6.0)
    assert told(rule, s.value(0, "pressure", 7.5), s.look(1), s.value(2, "other", 1.0)) == [(0, "on")]


def test_details_tell_name_and_value():
    s = Scene("motor")
    (on,) = decisions(threshold(), [s.read(0, 81.23456789)])
    assert on.details == {"name": "temp", "value": 81.234568}


def test_a_lost_source_makes_it_unknown():
    s = Scene("motor")
    assert told(threshold(), s.read(0, 90), s.lost(1), s.read(2, 78), s.read(3, 90)) == [
        (0, "on"), (1, "unknown"), (3, "on")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"value": "", "on_above": 1.0}, "value: expected the name"),
        ({"on_above": None}, "on_below: expected either on_above or on_below, found neither"),
        ({"on_above": 1.0, "on_below": 0.0}, "on_above: expected either on_above or on_below, found both"),
        ({"on_above": 1.0, "off_above": 0.0}, "off_above: does not go with on_above; expected off_below"),
        ({"on_above": 1.0, "off_below": 2.0}, r"off_below: expected at most on_above \(1.0\), found 2.0"),
        ({"on_below": 1.0, "off_above": 0.5}, r"off_above: expected at least on_below \(1.0\), found 0.5"),
        ({"on_above": float("nan")}, "on_above: expected a number, found nan"),
        ({"on_above": 1.0, "clear_s": -0.1}, "clear_s: expected seconds"),
    ],
)
def test_a_wrong_option_is_refused_with_its_name(options, told):
    with pytest.raises(InputError, match=f"^{told}"):
        threshold(**options)
