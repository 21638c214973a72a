from __future__ import annotations

import math

from edgeinfer.events import Inference, Readings, Trigger
from edgeinfer.runtime.judging import Brief, Judge, Recipes
from edgeinfer.testing.sources import Reports
from tests.runtime.asked import block, reasons, rules, said, scratch
from tests.samples import at


def judge(unknown="default", reports=None, recipes=True):
    told = reports or Reports()
    table = Recipes({"4711": frozenset({"scratched"})}, unknown, told) if recipes else None
    made = Judge(Brief("cell", rules, ("cam", "plc"), ("recipe", "part"), table))
    made.begin()
    return made


def look(s, score):
    return Inference(("cam", 0), at(s), (scratch(score),))


def see(made, *items):
    told = []
    for item in items:
        if isinstance(item, Inference):
            told += made.of([item])
        else:
            told += made.admit(item).decisions
    return told


def recipe(s, value):
    return block(s, value, channel="recipe", source="plc")


def test_decisions_carry_the_last_values_of_triggers_and_of_channels_of_that_name():
    made = judge(recipes=False)
    told = see(made, look(1, 0.9))
    assert told[0].details["context"] == {"recipe": None, "part": None}
    told = see(
        made, Trigger(("line", 0), at(2), {"part": "A 7", "shift": "late"}), recipe(3, 4711.0), look(4, 0.1)
    )
    assert told[0].details["context"] == {"recipe": "4711", "part": "A 7"}


def test_a_value_that_is_no_number_is_not_known_and_a_fraction_stays_one():
    made = judge(recipes=False)
    see(made, recipe(1, 2.5))
    assert made.context.value("recipe") == "2.5"
    see(made, recipe(2, math.nan))
    assert made.context.value("recipe") is None


def test_an_empty_block_says_nothing():
    made = judge(recipes=False)
    see(made, recipe(1, 7))
    see(made, Readings(("plc", 0), at(2), ("recipe",), recipe(1, 7).values[:0]))
    assert made.context.value("recipe") == "7"


def test_another_recipe_makes_the_rules_that_it_changes_begin_anew_and_leaves_the_others():
    made = judge()
    told = see(made, look(1, 0.9), recipe(2, 4711), look(3, 0.3))
    assert said(told) == [(1, "on"), (2, "unknown"), (3, "on")]
    assert reasons(told)[1] == "the recipe is 4711 from now on"
    assert [state for _, state in said(told, "parts")] == [1, 0]


def test_the_same_recipe_again_changes_nothing():
    made = judge()
    told = see(made, recipe(1, 4711), look(2, 0.3), recipe(3, 4711), look(4, 0.3))
    assert said(told) == [(2, "on")]


def test_an_unknown_recipe_is_said_and_the_config_holds_as_it_is_written():
    reports = Reports()
    made = judge(reports=reports)
    told = see(made, recipe(1, 4711), look(2, 0.3), recipe(3, 99), look(4, 0.3))
    assert said(told) == [(2, "on"), (3, "unknown"), (4, "off")]
    assert reports.now["recipe"] == (
        "there is no recipe '99' (there are: 4711): the config holds as it is written"
    )
    see(made, recipe(5, 4711))
    assert reports.now == {}


def test_an_unknown_recipe_makes_all_rules_unknown_where_that_is_asked_for():
    made = judge("unknown")
    told = see(
        made,
        look(1, 0.9),
        recipe(2, 4711),
        look(3, 0.9),
        recipe(4, 99),
        look(5, 0.9),
        recipe(6, 4711),
        look(7, 0.9),
    )
    assert said(told) == [(3, "on"), (4, "unknown"), (7, "on")]
    assert said(told, "parts") == [(3, 1), (4, "unknown"), (7, 1)]
    assert "no recipe '99'" in reasons(told)[1]


def test_rules_that_begin_anew_keep_the_recipe():
    """A model that has to be opened again does not make it unknown."""
    made = judge()
    see(made, recipe(1, 4711))
    made.begin()
    assert said(see(made, look(2, 0.3))) == [(2, "on")]
