"""The golden replay of the belt: pixels in, decisions out; within a frame, since runtimes are not bit-exact."""

from __future__ import annotations

import json

from tests.golden.belt import GOLDEN, Decided, decided

FRAME_S = 1 / 15
LATE_S = 2 * FRAME_S  # a score near the threshold may fall to the other side for a picture on another CPU


def golden() -> list[Decided]:
    return [Decided(*json.loads(line)) for line in GOLDEN.read_text().splitlines()]


def test_a_minute_of_the_belt_gives_the_golden_decisions_within_two_pictures():
    made, wanted = decided(), golden()
    for rule in {d.rule for d in wanted}:
        ours, theirs = ([d for d in ds if d.rule == rule] for ds in (made, wanted))
        assert [d.state for d in ours] == [d.state for d in theirs], rule
        for a, b in zip(ours, theirs, strict=True):
            assert abs(a.at_s - b.at_s) <= LATE_S + 1e-6, (a, b)


def test_on_one_machine_the_same_pixels_give_the_same_ids():
    assert decided() == decided()


def test_the_golden_decisions_hold_defects_of_both_kinds():
    states = {(d.rule, d.state) for d in golden()}
    assert {
        ("scratched", "on"),
        ("scratched", "off"),
        ("hole-missing", "on"),
        ("hole-missing", "off"),
    } <= states
