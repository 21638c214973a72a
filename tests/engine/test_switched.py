from __future__ import annotations

from edgeinfer.engine.switched import Switched
from edgeinfer.events import Score
from edgeinfer.testing.engine import FakePredictor
from tests.samples import frame


def switched():
    usual = FakePredictor([[Score("usual", 1.0)]], "usual@sha256:0")
    other = FakePredictor([[Score("other", 1.0)]], "other@sha256:1")
    recipe = [""]
    return Switched({"": usual, "4711": other}, lambda: recipe[0]), usual, other, recipe


def test_the_model_of_the_recipe_looks_and_the_usual_one_where_it_has_none():
    model, _, _, recipe = switched()
    labels = []
    for recipe[0] in ("", "4711", "4712"):
        labels.append((model.predict(frame()).findings[0].label, model.identity))
    assert labels == [("usual", "usual@sha256:0"), ("other", "other@sha256:1"), ("usual", "usual@sha256:0")]


def test_a_model_that_was_put_aside_begins_anew():
    model, usual, other, recipe = switched()
    for recipe[0] in ("", "4711", "4711", ""):
        model.predict(frame())
    assert (usual.forgotten, other.forgotten) == (["cam"], ["cam"])


def test_all_are_closed_and_forget_a_lost_source():
    model, usual, other, _ = switched()
    model.forget("cam")
    model.close()
    assert usual.closed
    assert other.closed
    assert usual.forgotten == other.forgotten == ["cam"]
    assert (model.runtime, model.warning, model.undecided) == ("fake", "", False)
