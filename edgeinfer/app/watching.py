"""Whether each rule gets what it watches: decisions of other rules, identities, time. A rule that does not waits for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from edgeinfer.app.options import PipelineOptions
from edgeinfer.app.probe import Plugin, build
from edgeinfer.config import Part
from edgeinfer.errors import InputError, Problem, nearest

Pipelines = Mapping[str, tuple[Part, PipelineOptions]]


def check_rules(
    pipelines: Pipelines, plugins: Mapping[str, Plugin], device: str, problems: list[Problem]
) -> None:
    """Appends to `problems` what keeps rules from ever deciding."""
    rules = {name: rule for name, plugin in plugins.items() if (rule := _built(plugin, device)) is not None}
    for name, (part, options) in pipelines.items():
        for rule in (r for r in options.rules if r in rules):
            told = problems.append
            for where, text in _missing(plugins[rule].part, rules[rule], name, part, options, plugins):
                told(Problem(where, text))
    _check_circles(pipelines, rules, problems)


def _built(plugin: Plugin, device: str) -> Any | None:
    try:
        return build(plugin, device)
    except InputError:  # told already
        return None


def _missing(
    rule: Part, made: Any, name: str, pipeline: Part, options: PipelineOptions, plugins: Mapping[str, Plugin]
) -> list[tuple[str, str]]:
    """(where, text) of each thing that `rule` needs and does not get in `pipeline`."""
    found = []
    given = [i.removeprefix("rule:") for i in options.inputs]
    for other in getattr(made, "inputs", ()):
        if other not in plugins:
            there = ", ".join(plugins)
            text = f"no [rule.{other}] in this config{nearest(other, plugins)} (there are: {there})"
            found.append((rule.where.at(_key_of(rule, other)), text))
        elif other not in given:
            text = f'watches the rule {other!r}, which [pipeline.{name}] does not give it: add inputs = ["rule:{other}"] there'
            found.append((rule.where.at(_key_of(rule, other)), text))
    if getattr(made, "tracks", False) and options.track is None:
        text = f"the rule {rule.name!r} ({rule.kind}) follows identities: add track = {{}} to this pipeline"
        found.append((pipeline.where.at("rules"), text))
    if getattr(made, "needs_ticks", False) and not options.all_sources:
        text = f"the rule {rule.name!r} ({rule.kind}) has to see time go by: name a source beside the inputs, one of those that they watch"
        found.append((pipeline.where.at("inputs"), text))
    return found


def _key_of(rule: Part, other: str) -> str:
    """The option that names `other`."""
    for key, value in rule.options.items():
        names = value if isinstance(value, (list, tuple)) else [value]
        if other in [str(n).removeprefix("rule:") for n in names]:
            return key
    return "kind"


def _check_circles(pipelines: Pipelines, rules: Mapping[str, Any], problems: list[Problem]) -> None:
    waits: dict[str, Sequence[str]] = {}
    owner: dict[str, Part] = {}
    for part, options in pipelines.values():
        given = [i.removeprefix("rule:") for i in options.inputs]
        for rule in options.rules:
            owner.setdefault(rule, part)
            waits.setdefault(rule, getattr(rules.get(rule), "inputs", given))
    told: set[str] = set()
    for start in waits:
        circle = _circle([start], waits)
        if circle and told.isdisjoint(circle):
            told |= set(circle)
            text = f"the rule {start!r} waits for itself: {' waits for '.join(circle)}"
            problems.append(Problem(owner[start].where.at("inputs"), text))


def _circle(way: list[str], waits: Mapping[str, Sequence[str]]) -> list[str]:
    """The way from its first rule back to it, or nothing."""
    for other in waits.get(way[-1], ()):
        if other == way[0]:
            return [*way, other]
        if other not in way and (found := _circle([*way, other], waits)):
            return found
    return []
