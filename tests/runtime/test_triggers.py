from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.events import Inference, Lost
from edgeinfer.runtime.edges import Edge
from edgeinfer.runtime.judging import Recipes
from tests.runtime.asked import Desk, back, block, lost, picture, reasons, rows, said, scratch, tick, trigger
from tests.samples import at


def test_the_picture_after_the_trigger_is_judged_and_no_other():
    desk = Desk(finds={1.2: [scratch(0.9)]})
    told = desk.see(picture(0.9), trigger(1.0), picture(1.2), picture(1.3))
    assert desk.looked == [1.2]
    assert said(told) == [(1.0, "on")]


def test_each_rule_answers_each_trigger_even_when_its_state_does_not_change():
    desk = Desk()
    told = desk.see(trigger(1), picture(1.1), trigger(2), picture(2.1), trigger(3), picture(3.1))
    assert said(told) == [(1, "off"), (2, "off"), (3, "off")]
    assert said(told, "parts") == [(1, 0), (2, 0), (3, 0)]


def test_a_picture_that_came_before_its_trigger_but_was_taken_after_it_is_the_answer():
    """The trigger came by a slower way."""
    desk = Desk(finds={1.02: [scratch(0.9)]})
    assert said(desk.see(picture(1.02), trigger(1.0))) == [(1.0, "on")]


def test_a_picture_of_the_very_moment_is_not_after_it():
    desk = Desk()
    assert desk.see(picture(1.0), trigger(1.0)) == []
    assert said(desk.see(picture(1.1))) == [(1.0, "off")]


def test_an_answer_says_who_asked_and_how_long_after_that_the_picture_was_taken():
    told = Desk().see(trigger(1.0), picture(1.25))
    assert told[0].details["trigger"] == "line"
    assert told[0].details["picture_after_ms"] == 250.0
    assert told[0].key[0] == "cam"


def test_an_answer_is_about_the_part_where_the_context_knows_it():
    desk = Desk(context=("part",))
    told = desk.see(trigger(1, part="4711-3"), picture(1.1))
    assert {d.subject for d in told} == {"4711-3"}
    assert told[0].details["context"] == {"part": "4711-3"}
    assert {d.subject for d in Desk().see(trigger(1), picture(1.1))} == {"line"}


def test_what_is_learned_after_the_trigger_is_of_the_next_part():
    desk = Desk(edge=Edge("line", "beam"), context=("part",))
    told = desk.see(rows(1.0, [0, 6], [1, 7], [0, 8]), rows(1.05, [0, 9]), picture(1.1))
    assert {d.subject for d in told} == {"7"}
    assert told[0].details["context"] == {"part": "7"}


def test_without_a_picture_within_the_deadline_it_is_unknown_and_the_next_picture_is_no_answer():
    desk = Desk(deadline_s=0.5)
    told = desk.see(trigger(1.0), picture(1.6), picture(1.7))
    assert said(told) == [(1.0, "unknown")]
    assert reasons(told) == ["no picture within 500 ms"]
    assert desk.looked == []


def test_time_that_goes_by_ends_the_waiting_too():
    assert said(Desk(deadline_s=0.5).see(trigger(1.0), tick(2.0))) == [(1.0, "unknown")]


def test_who_has_a_clock_is_told_when_to_look_at_it():
    desk = Desk(deadline_s=0.5)
    desk.see(trigger(1.0))
    assert desk.judge.due_ns() == 1_500_000_000
    assert desk.judge.overdue(1_500_000_000) == ()
    assert said(desk.judge.overdue(1_500_000_001)) == [(1.0, "unknown")]
    assert desk.judge.due_ns() is None


def test_a_model_that_takes_too_long_makes_it_unknown():
    desk = Desk(deadline_s=0.5, finds={1.1: [scratch(0.9)]})
    desk.see(trigger(1.0), now_s=1.01)
    look, told, _ = desk.judge.admit(picture(1.1), 1_150_000_000)
    assert told == []
    told = desk.judge.of([Inference(look.key, look.at, (scratch(0.9),))], 1_700_000_000)
    assert said(told) == [(1.0, "unknown")]
    assert reasons(told) == ["the model was done 200 ms after the deadline"]


def test_a_trigger_that_is_taken_after_its_deadline_costs_no_look():
    desk = Desk(deadline_s=0.5)
    assert said(desk.see(trigger(1.0), now_s=9.0)) == [(1.0, "unknown")]
    desk.see(picture(1.1), now_s=9.0)
    assert desk.looked == []


def test_two_triggers_within_one_picture_the_first_is_unknown_and_the_second_gets_it():
    desk = Desk(finds={1.3: [scratch(0.9)]}, context=("part",))
    told = desk.see(trigger(1.0, part="a"), trigger(1.2, part="b"), picture(1.3))
    assert said(told) == [(1.0, "unknown"), (1.2, "on")]
    assert reasons(told)[0] == "overrun by the next trigger, 200 ms after it"
    assert [d.subject for d in told if d.rule == "scratched"] == ["a", "b"]
    assert [d.details["context"]["part"] for d in told if d.rule == "scratched"] == ["a", "b"]


def test_a_camera_that_goes_between_trigger_and_picture_makes_it_unknown_at_once():
    told = Desk().see(trigger(1.0), lost(1.1))
    assert said(told) == [(1.0, "unknown")]
    assert reasons(told) == ["cam is lost: unplugged"]


def test_while_the_camera_is_away_a_trigger_is_unknown_at_once_and_judged_when_it_is_back():
    desk = Desk()
    desk.see(lost(1.0))
    assert said(desk.see(trigger(2.0))) == [(2.0, "unknown")]
    assert said(desk.see(back(3.0), picture(3.0), trigger(3.1), picture(3.2))) == [(3.1, "off")]


def test_a_picture_from_before_the_loss_is_no_answer_to_what_is_asked_after_it():
    desk = Desk()
    told = desk.see(trigger(1.0), picture(1.1), picture(1.2), lost(1.3), back(1.4), trigger(1.15))
    assert said(told)[-1:] == [(1.3, "unknown")]  # the loss makes the last answer void; the trigger waits
    assert desk.looked == [1.1]


def test_a_lost_trigger_source_makes_each_rule_unknown_once():
    desk = Desk()
    told = desk.see(trigger(1.0), picture(1.1), lost(2.0, "line"), tick(2.5, "line"), lost(3.0, "line"))
    assert said(told) == [(1.0, "off"), (2.0, "unknown")]
    assert "trigger" not in told[-1].details
    assert told[-1].subject == "line"


def test_a_wall_clock_that_jumps_changes_nothing():
    desk = Desk()
    jumped = replace(picture(1.1), at=replace(at(1.1), unix_ns=0))
    assert said(desk.see(trigger(1.0), jumped)) == [(1.0, "off")]


def test_a_start_of_the_device_in_between_makes_it_unknown():
    told = Desk().see(trigger(1.0), replace(picture(1.1), at=at(0.1, boot="other")))
    assert said(told) == [(1.0, "unknown")]
    assert "started again" in reasons(told)[0]


def test_what_the_pipeline_says_when_it_stops_answers_whoever_waits():
    desk = Desk()
    desk.see(trigger(1.0))
    told = desk.judge.lose(Lost(("cam", -1), at(1.2), "the model failed"))
    assert said(told) == [(1.0, "unknown")]
    assert reasons(told) == ["the model failed"]
    assert said(desk.see(trigger(2.0), picture(2.1))) == [(2.0, "off")]


def test_the_end_of_the_input_is_an_answer_too():
    desk = Desk()
    desk.see(trigger(1.0))
    assert said(desk.judge.end()) == [(1.0, "unknown")]
    assert desk.judge.end() == ()


def test_a_model_that_is_unsure_gets_the_next_pictures_until_the_deadline():
    desk = Desk(finds={1.3: [scratch(0.9)]})
    desk.unsure = True
    assert desk.see(trigger(1.0), picture(1.1), picture(1.2)) == []
    desk.unsure = False
    assert said(desk.see(picture(1.3))) == [(1.0, "on")]
    desk.unsure = True
    told = desk.see(trigger(2.0), picture(2.1), picture(2.2), tick(3.0))
    assert reasons(told) == ["still unsure after 2 pictures in 500 ms"]


def test_another_recipe_of_the_trigger_judges_by_its_thresholds():
    recipes = Recipes({"4711": frozenset({"scratched"})})
    desk = Desk(finds={s: [scratch(0.3)] for s in (1.1, 2.1, 3.1)}, context=("recipe",), recipes=recipes)
    told = desk.see(trigger(1), picture(1.1), trigger(2, recipe="4711"), picture(2.1))
    told += desk.see(trigger(3, recipe="4712"), picture(3.1))
    assert said(told) == [(1, "off"), (2, "on"), (3, "off")]


def test_a_recipe_that_nobody_knows_is_unknown_where_that_is_asked_for():
    recipes = Recipes({"4711": frozenset({"scratched"})}, "unknown")
    desk = Desk(context=("recipe",), recipes=recipes)
    told = desk.see(trigger(1, recipe="x"), picture(1.1), trigger(2, recipe="4711"), picture(2.1))
    assert said(told) == [(1, "unknown"), (2, "off")]
    assert reasons(told)[0] == "there is no recipe 'x' (there are: 4711)"


def test_a_light_barrier_asks_once_each_time_that_it_is_broken():
    desk = Desk(edge=Edge("line", "beam"))
    told = desk.see(block(1.0, 0, 1, 1, 0, 1, period_s=0.1), picture(1.45))
    assert said(told) == [(1.1, "unknown"), (1.4, "off")]


@pytest.mark.parametrize("kind", ["frames", "mixed"])
def test_triggers_answers_and_unanswered_are_counted(kind):
    desk = Desk()
    desk.see(trigger(1.0), picture(1.1), trigger(2.0), *([lost(2.1)] if kind == "mixed" else []), tick(4.0))
    assert desk.meters.counters == {"triggers": 2, "answers": 2, "unanswered": 1}


EVENTS = st.lists(
    st.tuples(st.sampled_from(["trigger", "picture", "tick", "lost", "back"]), st.integers(1, 400)),
    max_size=60,
)


@given(EVENTS, st.lists(st.integers(0, 900), max_size=60))
def test_whatever_comes_each_trigger_is_answered_exactly_once_by_each_rule(events, delays):
    make = {"trigger": trigger, "picture": picture, "tick": tick, "lost": lost, "back": back}
    desk, s, told, asked = Desk(), 0.0, [], []
    for n, (kind, step_ms) in enumerate(events):
        s = round(s + step_ms / 1000, 3)
        late_s = delays[n] / 1000 if n < len(delays) else 0.0
        told += desk.see(make[kind](s), now_s=s + late_s)
        if kind == "trigger":
            asked.append(s)
    told += desk.judge.end()
    for rule in ("scratched", "parts"):
        assert [d.at.mono_ns / 1e9 for d in told if d.rule == rule and "trigger" in d.details] == asked


@given(EVENTS)
def test_a_replay_of_the_same_gives_the_same(events):
    make = {"trigger": trigger, "picture": picture, "tick": tick, "lost": lost, "back": back}
    items, s = [], 0.0
    for kind, step_ms in events:
        s += step_ms / 1000
        items.append(make[kind](round(s, 3)))
    assert Desk().see(*items) == Desk().see(*items)
