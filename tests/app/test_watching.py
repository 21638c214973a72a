"""What `check` says about rules that would wait for ever."""

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.app.plan import rule_kinds
from edgeinfer.config import loads
from edgeinfer.errors import ConfigError

HEAD = """
[source.belt]
kind = "synthetic"
[model.parts]
bundle = "parts"
[sink.out]
kind = "console"
[rule.bad]
kind = "presence"
label = "scratched"
[rule.gate]
kind = "line"
line = [[0.5, 0.0], [0.5, 1.0]]
[pipeline.look]
source = "belt"
model = "parts"
track = {}
rules = ["bad", "gate"]
"""


def problems(text):
    try:
        draw(loads(text, "c.toml"))
    except ConfigError as error:
        return [str(problem).split(" ", 1)[1] for problem in error.problems]
    return []


def second(kind, options, pipeline='inputs = ["rule:bad", "rule:gate"]'):
    return HEAD + f'[rule.x]\nkind = "{kind}"\n{options}\n[pipeline.second]\n{pipeline}\nrules = ["x"]\n'


def test_a_config_with_identities_and_rules_over_rules_is_right():
    assert problems(second("all", 'rules = ["bad", "gate"]')) == []
    assert (
        problems(
            second(
                "within",
                'rules = ["bad", "gate"]\nwithin_s = 0.2',
                'source = "belt"\ninputs = ["rule:bad", "rule:gate"]',
            )
        )
        == []
    )


def test_a_rule_that_follows_identities_needs_track():
    (text,) = problems(HEAD.replace("track = {}\n", ""))
    assert (
        text
        == "pipeline.look.rules: the rule 'gate' (line) follows identities: add track = {} to this pipeline"
    )


def test_a_rule_that_it_watches_has_to_be_an_input():
    (text,) = problems(second("all", 'rules = ["bad", "gate"]', 'inputs = ["rule:bad"]'))
    assert text.startswith(
        "rule.x.rules: watches the rule 'gate', which [pipeline.second] does not give it: add inputs"
    )


def test_a_rule_that_it_watches_has_to_exist():
    (text,) = problems(second("not", 'rule = "gat"'))
    assert text.startswith("rule.x.rule: no [rule.gat] in this config; did you mean 'gate'?")


def test_a_circle_is_told_once_with_its_whole_way():
    rules = "".join(f'[rule.{a}]\nkind = "not"\nrule = "{b}"\n' for a, b in ("ab", "bc", "ca"))
    pipes = "".join(
        f'[pipeline.{a}]\ninputs = ["rule:{b}"]\nrules = ["{a}"]\n' for a, b in ("ab", "bc", "ca")
    )
    (text,) = problems(HEAD + rules + pipes)
    assert text == "pipeline.a.inputs: the rule 'a' waits for itself: a waits for b waits for c waits for a"


def test_a_rule_that_watches_itself_is_a_circle():
    (text,) = problems(
        HEAD + '[rule.a]\nkind = "not"\nrule = "a"\n[pipeline.a]\ninputs = ["rule:a"]\nrules = ["a"]\n'
    )
    assert text.endswith("the rule 'a' waits for itself: a waits for a")


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("zone", "zone = [[0.0, 0.0], [1.0, 1.0]]", "rule.x.zone: a polygon has at least 3 corners, found 2"),
        ("zone", "zone = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]", "rule.x.zone: its sides cross"),
        ("line", "line = [[0.5, 0.5], [0.5, 0.5]]", "rule.x.line: both points are [0.5, 0.5]"),
    ],
)
def test_places_that_are_none_are_told_at_their_line(kind, options, words):
    (text,) = problems(HEAD.replace('"gate"]', '"gate", "x"]') + f'[rule.x]\nkind = "{kind}"\n{options}\n')
    assert text.startswith(words)


def test_track_is_checked_like_any_table_and_needs_a_model():
    (text,) = problems(HEAD.replace("track = {}", "track = { keep = 3 }"))
    assert text.startswith("pipeline.look.track.keep: unknown key")
    (text,) = problems(HEAD.replace("track = {}", "track = { low = 0.9 }"))
    assert "low: expected at most score (0.5), found 0.9" in text
    assert any(
        "track: needs a model" in t or "needs a model" in t
        for t in problems(HEAD.replace('model = "parts"\n', ""))
    )


def test_the_kind_of_a_zone_s_state_goes_with_what_it_tells():
    zone = '[rule.{0}]\nkind = "zone"\nzone = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]\n{1}\n'
    text = HEAD.replace('"gate"]', '"gate", "n", "d"]') + zone.format("n", "")
    text += zone.format("d", 'tell = "dwell"\ndwell_s = 3.0')
    assert rule_kinds(draw(loads(text, "c.toml"))) == {
        "bad": "binary",
        "gate": "number",
        "n": "number",
        "d": "binary",
    }
