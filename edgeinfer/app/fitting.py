"""Whether the parts that a pipeline names are there and fit one another: sources, models, rules, trigger, stages, recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from edgeinfer.app.options import PipelineOptions
from edgeinfer.app.probe import Plugin, build
from edgeinfer.errors import Problem, nearest

if TYPE_CHECKING:
    from edgeinfer.app.blueprint import Blueprint, Model, PipelinePart

_TIMES = ("for_s", "clear_s")


def check_pipeline(blueprint: Blueprint, name: str, problems: list[Problem]) -> None:
    """Appends to `problems` what is wrong between this pipeline and the other parts."""
    pipeline = blueprint.pipelines[name]
    problems += _missing(blueprint, pipeline)
    problems += _out_of_order(pipeline)
    problems += _no_pictures(blueprint, name)
    recipes = blueprint.recipes_of(name)
    for models, rules in (
        (blueprint.models, blueprint.rules),
        *(({**blueprint.models, **r.models}, {**blueprint.rules, **r.rules}) for r in recipes.values()),
    ):
        found = [
            *_unknown_labels(blueprint, pipeline, models, rules),
            *_slow_rules(blueprint, pipeline, rules),
        ]
        problems += [problem for problem in found if problem not in problems]  # a recipe changes few of them


def _missing(blueprint: Blueprint, pipeline: PipelinePart) -> Iterator[Problem]:
    for section, keys, name in _names(pipeline.options):
        known = blueprint.config.of(section)
        if name not in known:
            there = ", ".join(known) or "none"
            text = f"no [{section}.{name}] in this config{nearest(name, known)} (there are: {there})"
            yield Problem(pipeline.part.where.at(*keys), text)


def _names(options: PipelineOptions) -> Iterator[tuple[str, tuple[str | int, ...], str]]:
    """Section, keys of the place, name."""
    for source in options.all_sources:
        key = "source" if source == options.source else "sources" if source in options.sources else "trigger"
        yield "source", (key,), source
    for rule in options.rules:
        yield "rule", ("rules",), rule
    for other in options.inputs:
        yield "rule", ("inputs",), other.removeprefix("rule:")
    if options.model:
        yield "model", ("model",), options.model
    for n, stage in enumerate(options.stages):
        if stage.model:
            yield "model", ("stages", n, "model"), stage.model


def _out_of_order(pipeline: PipelinePart) -> Iterator[Problem]:
    """What a model finds in the whole picture takes the place of what was found before it."""
    late = False
    for n, stage in enumerate(pipeline.options.stages):
        whole = bool(stage.model) and stage.on == "picture"
        if whole and late:
            text = "a stage that asks about the whole picture comes before those that ask about crops or the next pictures"
            yield Problem(pipeline.part.where.at("stages", n), text)
        late |= not whole


def _no_pictures(blueprint: Blueprint, name: str) -> Iterator[Problem]:
    """Triggers, stages and recipes with a bundle of their own are for models of pictures."""
    pipeline = blueprint.pipelines[name]
    options = pipeline.options
    key = "trigger" if options.trigger_source else "stages"
    asked = options.all_models if options.trigger_source or options.stages else ()
    for model in _of_readings(blueprint.models, asked):
        text = f"is for models of pictures, and {model.bundle.identity} takes readings"
        yield Problem(pipeline.part.where.at(key), text)
    for recipe in blueprint.recipes_of(name).values():
        for model in _of_readings(recipe.models, options.all_models):
            text = f"a recipe chooses between models of pictures, and {model.bundle.identity} takes readings"
            yield Problem(model.part.where.at("bundle"), text)


def _of_readings(models: Mapping[str, Model], names: tuple[str, ...]) -> list[Model]:
    return [models[n] for n in names if n in models and models[n].bundle.manifest.window is not None]


def _unknown_labels(
    blueprint: Blueprint, pipeline: PipelinePart, models: Mapping[str, Model], rules: Mapping[str, Plugin]
) -> Iterator[Problem]:
    """A rule or stage that waits for a label which no model ever gives would wait for ever."""
    options = pipeline.options
    asked = [models[name] for name in options.all_models if name in models]
    known = tuple(dict.fromkeys(label for model in asked for label in model.bundle.labels))
    if not known or len(asked) < len(options.all_models) or not all(model.bundle.labels for model in asked):
        return
    words = "the model never says" if len(asked) == 1 else "no model of this pipeline ever says"
    for name in options.rules:
        plugin = rules.get(name)
        for label in getattr(build(plugin, blueprint.device), "labels", ()) if plugin else ():
            if plugin and label not in known:
                key = next(k for k in ("labels", "label", "value") if k in plugin.part.options)
                yield Problem(plugin.part.where.at(key), _never(words, label, known))
    for n, stage in enumerate(options.stages):
        for label in stage.wanted:
            if label not in known:
                yield Problem(pipeline.part.where.at("stages", n, "labels"), _never(words, label, known))


def _never(words: str, label: str, known: tuple[str, ...]) -> str:
    return f"{words} {label!r}{nearest(label, known)} (its labels are: {', '.join(known)})"


def _slow_rules(
    blueprint: Blueprint, pipeline: PipelinePart, rules: Mapping[str, Plugin]
) -> Iterator[Problem]:
    """A trigger asks about one picture: a rule that needs several can never answer."""
    if not pipeline.options.trigger_source:
        return
    for name in pipeline.options.rules:
        plugin = rules.get(name)
        if plugin is None:
            continue
        if not getattr(build(plugin, blueprint.device), "one_look", False):
            text = f"the rule {name!r} ({plugin.part.kind}) needs more than one look, and a trigger asks about one picture"
            yield Problem(pipeline.part.where.at("rules"), text)
        for key in _TIMES:
            if getattr(plugin.options, key, 0.0) > 0:
                text = f"expected 0 or nothing, for the trigger of [pipeline.{pipeline.part.name}] asks about one picture"
                yield Problem(plugin.part.where.at(key), text)
