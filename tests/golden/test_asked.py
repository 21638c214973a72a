"""The golden replay of triggers, context, recipes and a cascade: each question has one answer, and the answers are right."""

from __future__ import annotations

import json

import pytest

from edgeinfer.sources.belt import HOLE_MISSING, Belt, BeltSettings
from tests.golden.asked import GOLDEN, RECIPES, SEED, Answered, answered, asked


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("asked")
    asked(folder / "recording")
    return answered(folder)


def golden() -> list[Answered]:
    return [Answered(*json.loads(line)) for line in GOLDEN.read_text().splitlines()]


def test_the_recorded_triggers_give_the_golden_answers_with_the_same_ids(made):
    assert made == golden()


def test_each_part_is_judged_as_it_is_and_by_the_recipe_that_it_came_with():
    belt = Belt(BeltSettings(seed=SEED))
    for one in golden():
        if one.state == "unknown":
            continue
        label = belt.label(int(one.part))
        wanted = label == HOLE_MISSING or (label == "scratched" and one.recipe == RECIPES[0])
        assert one.state == ("on" if wanted else "off"), one


def test_the_golden_answers_hold_an_overrun_trigger_and_an_unknown_recipe():
    unknown = [one for one in golden() if one.state == "unknown"]
    assert [one.recipe for one in unknown] == [*RECIPES, "no-such"]


def test_no_id_comes_twice():
    ids = [one.id for one in golden()]
    assert len(set(ids)) == len(ids)
