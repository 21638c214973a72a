"""From parsed parts to typed, cross-checked ones: all that is wrong with a config is said here, at once."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgeinfer import registry, store
from edgeinfer.app.adjusting import check_adjustable
from edgeinfer.app.encoding import encoder_of
from edgeinfer.app.fitting import check_pipeline
from edgeinfer.app.loops import check_loops
from edgeinfer.app.mapping import check_maps
from edgeinfer.app.options import PipelineOptions, StateOptions
from edgeinfer.app.override_file import Overrides
from edgeinfer.app.probe import Plugin, build, try_out
from edgeinfer.app.recipes import read_recipes, unobeyed
from edgeinfer.app.watching import check_rules
from edgeinfer.app.web_options import WebOptions, check_web
from edgeinfer.commons import Seat
from edgeinfer.config import Config, Part, blame, decode
from edgeinfer.engine.options import ModelOptions
from edgeinfer.errors import ConfigError, EdgeinferError, InputError, Problem, nearest
from edgeinfer.events import COMMAND_RULE
from edgeinfer.ports import EncoderPlace
from edgeinfer.runtime.judging import RECIPE

_TAKEN = (
    "rule {!r} already belongs to pipeline {!r}, and its state topic can have one owner; write a second rule"
)


@dataclass(frozen=True)
class Model:
    part: Part
    options: ModelOptions
    bundle: store.Bundle


@dataclass(frozen=True)
class PipelinePart:
    part: Part
    options: PipelineOptions


@dataclass(frozen=True)
class RecipePart:
    """The rules and models that a recipe changes, built and opened as the others."""

    part: Part
    rules: Mapping[str, Plugin]
    models: Mapping[str, Model]


@dataclass(frozen=True)
class Blueprint:
    """A config in which every name, type and value is right; nothing is opened yet."""

    config: Config
    state: StateOptions
    sources: Mapping[str, Plugin] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    rules: Mapping[str, Plugin] = field(default_factory=dict)
    sinks: Mapping[str, Plugin] = field(default_factory=dict)
    pipelines: Mapping[str, PipelinePart] = field(default_factory=dict)
    overrides: Overrides = field(default_factory=Overrides)  # what commands have changed, and is in force
    ignored: tuple[str, ...] = ()  # what they had changed, and no longer fits
    written: Config | None = None  # as it stands in the user's files, where `config` has overrides in it
    recipes: Mapping[str, RecipePart] = field(default_factory=dict)  # by the value that chooses it
    web: WebOptions = field(default_factory=WebOptions)

    def recipes_of(self, pipeline: str) -> Mapping[str, RecipePart]:
        """Those that this pipeline obeys; none when it does not know what the recipe is."""
        return self.recipes if RECIPE in self.pipelines[pipeline].options.context else {}

    @property
    def device(self) -> str:
        return self.config.device

    def seats(self) -> dict[str, Seat]:
        """The sources and sinks that name a port in the config: `source.NAME`, `sink.NAME`."""
        plugins = [*self.sources.values(), *self.sinks.values()]
        built = {f"{p.part.section}.{p.part.name}": build(p, self.device) for p in plugins}
        return {name: seat for name, one in built.items() if (seat := getattr(one, "seat", None))}

    def unused(self) -> list[str]:
        """Parts that no pipeline takes: they are right, and do nothing."""
        taken = {f"rule.{r}" for p in self.pipelines.values() for r in p.options.rules}
        taken |= {f"source.{s}" for p in self.pipelines.values() for s in p.options.all_sources}
        taken |= {f"model.{m}" for p in self.pipelines.values() for m in p.options.all_models}
        have = [
            f"{section}.{name}" for section in ("source", "model", "rule") for name in self.config.of(section)
        ]
        return [name for name in have if name not in taken]


def draw(config: Config, frame: Sequence[Problem] = (), state_dir: Path | None = None) -> Blueprint:
    """Decodes every part with its plugin's Options, finds the bundles, and checks the names between parts.

    Args:
        config: what `config.load` gave.
        frame: problems that loading already found, told together with ours.
        state_dir: the folder that systemd hands over, if it does.

    Raises:
        ConfigError: with all problems of the config.
    """
    problems = list(frame)
    state = decode(config.state, StateOptions, problems) or StateOptions()
    plugins = {
        section: _plugins(config.device, config.of(section), group, problems)
        for section, group in (("source", "sources"), ("rule", "rules"), ("sink", "sinks"))
    }
    states = state.folder(config.device, state_dir)
    blueprint = Blueprint(
        config=config,
        state=state,
        sources=plugins["source"],
        rules=plugins["rule"],
        sinks=plugins["sink"],
        models=_models(config, config.of("model"), states, problems),
        pipelines=_pipelines(config, problems),
        recipes=_recipes(config, states, problems),
        web=check_web(config.one("web"), problems),
    )
    _cross_check(blueprint, problems)
    check_rules(
        {name: (p.part, p.options) for name, p in blueprint.pipelines.items()},
        {name: (p.part, build(p, config.device)) for name, p in blueprint.rules.items()},
        config.of("rule"),
        problems,
    )
    check_adjustable(blueprint.rules, config.device, problems)
    _check_encodings(blueprint, problems)
    check_maps(blueprint.sinks, blueprint.rules, config.of("rule"), config.device, problems)
    check_loops(blueprint.sources, blueprint.sinks, config.device, problems)
    if problems:
        raise ConfigError(problems)
    return blueprint


def _recipes(config: Config, states: Path, problems: list[Problem]) -> dict[str, RecipePart]:
    return {
        value: RecipePart(
            recipe.part,
            _plugins(config.device, recipe.rules, "rules", problems),
            _models(config, recipe.models, states, problems),
        )
        for value, recipe in read_recipes(config, problems).items()
    }


def _plugins(
    device: str, parts: Mapping[str, Part], group: str, problems: list[Problem]
) -> dict[str, Plugin]:
    found = {}
    for name, part in parts.items():
        if not part.kind:  # told already
            continue
        try:
            cls = registry.find(group, part.kind)
        except InputError as error:
            problems.append(Problem(part.where.at("kind"), str(error)))
            continue
        options = decode(part, cls.Options, problems)
        if options is not None and try_out(plugin := Plugin(part, cls, options), device, problems):
            found[name] = plugin
    return found


def _models(
    config: Config, parts: Mapping[str, Part], state_dir: Path, problems: list[Problem]
) -> dict[str, Model]:
    found = {}
    for name, part in parts.items():
        options = decode(part, ModelOptions, problems)
        if options is None:
            continue
        files = check_backends(part, options, problems)
        try:
            bundle = _bundle(options.bundle, config, state_dir)
        except EdgeinferError as error:
            problems.append(Problem(part.where.at("bundle"), str(error)))
            continue
        found[name] = Model(part, options, bundle)
        if files.isdisjoint(bundle.manifest.variants):
            there = ", ".join(bundle.manifest.variants)
            text = f"the bundle {bundle.identity} has no file for any of them, only for: {there}"
            problems.append(Problem(part.where.at("backends"), text))
    return found


def check_backends(part: Part, options: ModelOptions, problems: list[Problem]) -> set[str]:
    """Each backend's table against its plugin, with the line of each key; the files of a bundle that they can take."""
    files: set[str] = set()
    if options.python and not os.access(options.python, os.X_OK):
        text = f"expected the path of a Python interpreter, and {options.python!r} is no program"
        problems.append(Problem(part.where.at("python"), text))
    for n, name in enumerate(options.backends):
        try:
            plugin = registry.find("backends", name)
        except InputError as error:
            problems.append(Problem(part.where.at("backends", n), str(error)))
            continue
        files |= set(plugin.files)
        where = part.where.inside(*(["options", name] if name in options.options else [name]))
        decode(Part("model", part.name, name, options.of(name), where), plugin.Options, problems)
    return files


def _bundle(name: str, config: Config, state_dir: Path) -> store.Bundle:
    """A relative path starts from the folder of the config."""
    return store.open_bundle(store.find_bundle(name, state_dir, Path(config.where.name).parent))


def _pipelines(config: Config, problems: list[Problem]) -> dict[str, PipelinePart]:
    decoded = {
        name: (part, decode(part, PipelineOptions, problems)) for name, part in config.of("pipeline").items()
    }
    return {
        name: PipelinePart(part, options) for name, (part, options) in decoded.items() if options is not None
    }


def _cross_check(blueprint: Blueprint, problems: list[Problem]) -> None:
    config = blueprint.config
    if not config.of("pipeline"):
        text = "no [pipeline.NAME]: nothing would be decided; add one that names a source and rules"
        problems.append(Problem(config.where.at(), text))
    if not config.of("sink"):
        text = 'no [sink.NAME]: decisions would go nowhere; add one, such as [sink.out] with kind = "console"'
        problems.append(Problem(config.where.at(), text))
    if COMMAND_RULE in config.of("rule"):
        text = "this name is taken: it tells subscribers what commands did ({topic}/decision/command)"
        problems.append(Problem(config.of("rule")[COMMAND_RULE].where.at(), text))
    _check_seats(blueprint, problems)
    owner: dict[str, str] = {}
    obeying = any(RECIPE in p.options.context for p in blueprint.pipelines.values())
    problems += unobeyed(config.of("recipe"), obeying=obeying)
    for name, pipeline in blueprint.pipelines.items():
        check_pipeline(blueprint, name, problems)
        taken = [rule for rule in pipeline.options.rules if owner.setdefault(rule, name) != name]
        problems += [
            Problem(pipeline.part.where.at("rules"), _TAKEN.format(rule, owner[rule])) for rule in taken
        ]


def _check_encodings(blueprint: Blueprint, problems: list[Problem]) -> None:
    for plugin in blueprint.sinks.values():
        try:
            encoder_of(plugin.options, EncoderPlace(blueprint.device, "check", plugin.part.name))
        except InputError as error:
            problems.append(blame(plugin.part, type(plugin.options), error))
        known = blueprint.config.of("rule")
        for rule in sorted(set(getattr(plugin.options, "rules", ())) - set(known)):
            text = f"no [rule.{rule}] in this config{nearest(rule, known)} (there are: {', '.join(known)})"
            problems.append(Problem(plugin.part.where.at("rules", rule), text))


def _check_seats(blueprint: Blueprint, problems: list[Problem]) -> None:
    """Two parts on one port fit only where nodes take turns there."""
    taken: dict[str, list[tuple[str, Seat]]] = {}
    for name, seat in blueprint.seats().items():
        part = blueprint.config.of(name.partition(".")[0])[name.partition(".")[2]]
        others = taken.setdefault(os.path.realpath(seat.port), [])
        why = next((f"[{o}] {text}" for o, other in others if (text := _clash(seat, other))), "")
        if why:
            problems.append(Problem(part.where.at("port"), why))
        others.append((name, seat))


def _clash(one: Seat, other: Seat) -> str:
    if not one.address or not other.address:
        return "has this port already; nodes that share one have an address each: edgelink = { address = 1 }"
    if one.address == other.address:
        return f"asks address {one.address} on this port already"
    return (
        "" if one.setting == other.setting else "opens this port with another baud, parity, bits, dtr or rts"
    )
