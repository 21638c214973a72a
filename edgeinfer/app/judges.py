"""From a pipeline's options to its judge: rules as each recipe has them, context, trigger; decides nothing itself."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from edgeinfer.app.probe import Plugin
from edgeinfer.app.zones import zone
from edgeinfer.distributions import Reference
from edgeinfer.ports import Rule, RulePlace
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.judging import RECIPE, Brief, Choice, Judge, Recipes
from edgeinfer.runtime.triggers import Asking, TriggeredJudge

if TYPE_CHECKING:
    from edgeinfer.app.blueprint import Blueprint


def judge_of(pipeline: str, blueprint: Blueprint, health: Health, choice: Choice) -> Judge:
    """The judge of `pipeline`; `choice` is where it says which recipe holds."""
    options, post = blueprint.pipelines[pipeline].options, f"pipeline.{pipeline}"
    sources = (*options.all_sources, *options.inputs)
    brief = Brief(
        pipeline,
        partial(rules_of, pipeline, blueprint),
        sources,
        options.context,
        _recipes(pipeline, blueprint, health, choice),
    )
    if not options.trigger_source:
        return Judge(brief)
    asking = Asking(options.edge, round(options.deadline_ms * 1e6))
    return TriggeredJudge(brief, asking, health.post(post).meters)


def rules_of(pipeline: str, blueprint: Blueprint, recipe: str) -> dict[str, Rule]:
    """Fresh rules by name; those that `recipe` ("" for none) changes as it has them."""
    changed = blueprint.recipes[recipe].rules if recipe else {}
    reference = _reference(pipeline, blueprint, recipe)
    return {
        name: _rule(RulePlace(pipeline, name, zone, reference), changed.get(name) or blueprint.rules[name])
        for name in blueprint.pipelines[pipeline].options.rules
    }


def _rule(place: RulePlace, plugin: Plugin) -> Rule:
    rule: Rule = plugin.cls(plugin.options, place)
    return rule


def _reference(pipeline: str, blueprint: Blueprint, recipe: str) -> Reference | None:
    """Of the bundle that looks first at each sample: the one that `recipe` puts in its place, where it does."""
    name = blueprint.pipelines[pipeline].options.model
    models = {**blueprint.models, **(blueprint.recipes[recipe].models if recipe else {})}
    return models[name].bundle.reference if name in models else None


def _recipes(pipeline: str, blueprint: Blueprint, health: Health, choice: Choice) -> Recipes | None:
    options = blueprint.pipelines[pipeline].options
    if RECIPE not in options.context or not blueprint.recipes:
        return None
    changes = {
        value: frozenset(options.rules)
        if not set(options.all_models).isdisjoint(recipe.models)
        else frozenset(options.rules) & frozenset(recipe.rules)
        for value, recipe in blueprint.recipes.items()
    }
    return Recipes(changes, options.unknown_recipe, health.reporter(f"pipeline.{pipeline}"), choice)
