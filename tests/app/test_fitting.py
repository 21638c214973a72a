"""Triggers, stages and recipes in a config: what is wrong is told at its line, before anything is opened."""

from __future__ import annotations

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.config import loads
from edgeinfer.errors import ConfigError

BASE = """
device = "cell"
[source.belt]
kind = "synthetic"
[source.line]
kind = "modbus"
host = "10.0.0.5"
registers = [{ name = "beam", address = 1 }]
[model.small]
bundle = "parts-small"
[model.parts]
bundle = "parts"
[model.bearing]
bundle = "vibration"
[rule.scratched]
kind = "presence"
label = "scratched"
[rule.slow]
kind = "presence"
label = "scratched"
for_s = 0.5
[rule.speed]
kind = "rate"
window_s = 10
[sink.out]
kind = "console"
"""
LINE = '[pipeline.p]\nsource = "belt"\nmodel = "parts"\n'
RULES = 'rules = ["scratched"]\n'
TRIGGER = LINE + RULES + 'trigger = { source = "line", channel = "beam", above = 0.5 }\ndeadline_ms = 200\n'
RECIPE = LINE + RULES + 'context = ["recipe"]\n'


def problems(text):
    with pytest.raises(ConfigError) as raised:
        draw(loads(BASE + text, "c.toml"))
    return [str(problem) for problem in raised.value.problems]


def line_of(text, fragment):
    return next(n for n, line in enumerate((BASE + text).splitlines(), 1) if fragment in line)


@pytest.mark.parametrize(
    "text",
    [
        TRIGGER,
        LINE + RULES + 'trigger = "line"\ndeadline_ms = 200\n',
        RECIPE + "[recipe.4711]\nrule.scratched.score = 0.7\n",
        RECIPE + '[recipe.4711]\nvalue = "A 7"\nmodel.parts.bundle = "parts-small"\n',
        LINE + RULES + 'stages = [{ model = "small", on = "crop", labels = "good", most = 2 }]\n',
        LINE
        + RULES
        + 'stages = [{ above = 0.3, below = 0.7, pictures = 3, combine = "vote" }]\ntrack = {}\n',
        LINE.replace("parts", "small")
        + RULES
        + '[[pipeline.p.stages]]\nlabels = ["scratched"]\nabove = 0.1\nmodel = "parts"\n',
    ],
)
def test_what_is_right_is_drawn(text):
    blueprint = draw(loads(BASE + text, "c.toml"))
    assert list(blueprint.pipelines) == ["p"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (LINE + RULES + 'trigger = "lime"\ndeadline_ms = 9\n', "p.trigger: no [source.lime] in this config; did you mean 'line'?"),
        (LINE + RULES + 'trigger = "line"\n', "say by deadline_ms within which time"),
        (TRIGGER + "max_age_ms = 9\n", "p.max_age_ms: with a trigger deadline_ms says"),
        ('[pipeline.p]\nsource = "belt"\nrules = ["scratched"]\ntrigger = "line"\ndeadline_ms = 9\n', "has no model that could"),
        (TRIGGER.replace(", above = 0.5", ""), "say when it triggers, by above = 0.5 or by below = 0.5"),
        (TRIGGER.replace("above", "below = 1, above"), "say when it triggers"),
        (TRIGGER.replace('channel = "beam", ', ""), "name the channel whose value is to be above or below"),
        (TRIGGER.replace("scratched", "slow"), "rule.slow.for_s: expected 0 or nothing, for the trigger of [pipeline.p]"),
        (TRIGGER.replace("scratched", "speed"), "the rule 'speed' (rate) needs more than one look"),
        (TRIGGER.replace("channel", "chanel"), "p.trigger.chanel: unknown key; did you mean 'channel'?"),
        (TRIGGER.replace("parts", "bearing"), "p.trigger: is for models of pictures, and vibration@"),
        (LINE + RULES + "stages = [{ above = 0.5 }]\n", "say who is asked, a model or the next pictures"),
        (LINE + RULES + 'stages = [{ model = "small", pictures = 2 }]\n', "one of them"),
        (LINE + RULES + "stages = [{ pictures = 1 }]\n", "expected at least 2"),
        (LINE + RULES + 'stages = [{ model = "smal" }]\n', "p.stages[0].model: no [model.smal] in this config; did you mean 'small'?"),
        (LINE + RULES + 'stages = [{ model = "small", labels = "god" }]\n', "p.stages[0].labels: no model of this pipeline ever says 'god'; did you mean 'good'?"),
        (LINE + RULES + 'stages = [{ model = "small", above = 0.8, below = 0.2 }]\n', "expected at most below (0.2), found 0.8"),
        (LINE + RULES + 'stages = [{ model = "small", abov = 0.8 }]\n', "abov"),
        (LINE + RULES + 'stages = [{ model = "bearing" }]\n', "p.stages: is for models of pictures, and vibration@"),
        (LINE + RULES + 'stages = [{ pictures = 2 }, { model = "small" }]\n', "p.stages[1]: a stage that asks about the whole picture comes before"),
        ('[pipeline.p]\nsource = "belt"\nrules = ["scratched"]\nstages = [{ pictures = 2 }]\n', "the first who is asked is `model`"),
        (LINE + RULES + "[recipe.a]\nrule.scratched.score = 0.7\n", 'no pipeline obeys recipes: add context = ["recipe"]'),
        (RECIPE + "[recipe.a]\n", "it changes nothing"),
        (RECIPE + "[recipe.a]\nrule.scrached.score = 0.7\n", "no [rule.scrached] in this config; did you mean 'scratched'?"),
        (RECIPE + "[recipe.a]\nrule.scratched.scor = 0.7\n", "[recipe.a] rule.scratched.scor: unknown key; did you mean 'score'?"),
        (RECIPE + "[recipe.a]\nrule.scratched.score = 7\n", "[recipe.a] rule.scratched.score: expected a number of at least 0 and at most 1"),
        (RECIPE + '[recipe.a]\nrule.scratched.label = "scratchd"\n', "the model never says 'scratchd'; did you mean 'scratched'?"),
        (RECIPE + '[recipe.a]\nrule.scratched.kind = "count"\n', "for another kind write a second rule"),
        (RECIPE + '[recipe.a]\nmodel.parts.bundle = "parst"\n', "[recipe.a] model.parts.bundle: no bundle 'parst'; did you mean 'parts'"),
        (RECIPE + '[recipe.a]\nvalue = "b"\nrule.scratched.score = 0.7\n[recipe.b]\nrule.scratched.score = 0.8\n', "'b' chooses [recipe.a] already"),
        (RECIPE + "[recipe.a]\nscore = 0.7\n", "recipe.a.score: unknown key"),
        (TRIGGER + 'context = ["recipe"]\n[recipe.a]\nrule.scratched.for_s = 1.0\n', "[recipe.a] rule.scratched.for_s: expected 0 or nothing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_where_it_stands(text, says):
    told = problems(text)
    assert any(says in one for one in told), told
    assert all(one.startswith("c.toml:") for one in told), told


def test_the_line_of_a_recipe_is_told():
    text = RECIPE + "[recipe.a]\nrule.scratched.score = 7\n"
    assert problems(text)[0].startswith(f"c.toml:{line_of(text, 'score = 7')} ")


def test_a_recipe_with_a_model_of_readings_is_refused():
    assert "readings" in " ".join(problems(RECIPE + '[recipe.a]\nmodel.parts.bundle = "vibration"\n'))


def test_a_model_of_a_later_stage_is_in_use():
    text = LINE + RULES + 'stages = [{ model = "small", on = "crop" }]\n'
    assert "model.small" not in draw(loads(BASE + text, "c.toml")).unused()
