from __future__ import annotations

import math

from edgeinfer.runtime.edges import Edge, Edges
from tests.runtime.asked import back, block, lost, trigger


def passed(edges, *items):
    """Seconds of the triggers."""
    return [round(t.at.mono_ns / 1e9, 3) for item in items for t in edges.of(item)]


def test_triggers_of_its_source_pass_and_those_of_others_do_not():
    edges = Edges(Edge("line"))
    assert passed(edges, trigger(1.0), block(2.0, 0, 1)) == [1.0]
    assert passed(Edges(Edge("other")), trigger(1.0)) == []


def test_a_channel_triggers_when_it_rises_above_the_bound_at_the_moment_of_its_row():
    assert passed(Edges(Edge("line", "beam")), block(1.0, 0, 0, 1, 1, 0, 1, period_s=0.01)) == [1.02, 1.05]


def test_falling_is_the_other_way():
    assert passed(Edges(Edge("line", "beam", falling=True)), block(1.0, 1, 0, 0, 1, period_s=0.01)) == [1.01]


def test_what_is_beyond_from_the_start_has_not_passed():
    assert passed(Edges(Edge("line", "beam")), block(1.0, 1), block(2.0, 1)) == []


def test_after_a_gap_or_a_loss_or_a_value_that_is_none_nobody_knows_whether_it_passed():
    edges = Edges(Edge("line", "beam"))
    assert passed(edges, block(1, 0), block(2, 1, gap=True)) == []
    assert passed(edges, block(3, 0), lost(4, "line"), back(5, "line"), block(6, 1)) == []
    assert passed(edges, block(7, 0, math.nan, 1)) == []


def test_a_contact_that_bounces_triggers_once():
    edges = Edges(Edge("line", "beam", apart_ns=50_000_000))
    assert passed(edges, block(1.0, 0, 1, 0, 1, 0, 1, period_s=0.01), block(2.0, 0, 1)) == [1.01, 2.0]


def test_other_channels_say_nothing():
    assert passed(Edges(Edge("line", "beam")), block(1.0, 0, 1, channel="other")) == []
