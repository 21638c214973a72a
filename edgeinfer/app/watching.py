"""Whether each rule gets what it watches: decisions of other rules, identities. A rule that does not waits for ever."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from edgeinfer.app.options import PipelineOptions
from edgeinfer.config import Part
from edgeinfer.errors import Problem, nearest

Pipelines = Mapping[str, tuple[Part, PipelineOptions]]
Rules = Mapping[str, tuple[Part, Any]]


def check_rules(pipelines: Pipelines, rules: Rules, known: Collection[str], problems: list[Problem]) -> None:
    """Appends to `problems` what keeps rules from ever deciding.

    Args:
        pipelines: those that are right in themselves.
        rules: those that are right in themselves, built.
        known: the names of all rules, right or not.
        problems: grows.
    """
    for name, (part, options) in pipelines.items():
        for rule in options.rules:
            if rule in rules:
                _check_inputs(*rules[rule], name, options, known, problems)
                _check_needs(*rules[rule], part, options, problems)
    _check_circles(pipelines, rules, problems)


def _check_inputs(
    rule: Part,
    made: Any,
    pipeline: str,
    options: PipelineOptions,
    known: Collection[str],
    problems: list[Problem],
) -> None:
    for other in getattr(made, "inputs", ()):
        where = rule.where.at(_key_of(rule, other))
        if other not in known:
            there = ", ".join(known)
            text = f"no [rule.{other}] in this config{nearest(other, known)} (there are: {there})"
            problems.append(Problem(where, text))
        elif f"rule:{other}" not in options.inputs:
            text = f'watches the rule {other!r}, which [pipeline.{pipeline}] does not give it: add inputs = ["rule:{other}"] there'
            problems.append(Problem(where, text))


def _check_needs(
    rule: Part, made: Any, pipeline: Part, options: PipelineOptions, problems: list[Problem]
) -> None:
    if getattr(made, "tracks", False) and options.track is None:
        text = f"the rule {rule.name!r} ({rule.kind}) follows identities: add track = {{}} to this pipeline"
        problems.append(Problem(pipeline.where.at("rules"), text))


def _key_of(rule: Part, other: str) -> str:
    """The option that names `other`."""
    for key, value in rule.options.items():
        names = value if isinstance(value, (list, tuple)) else [value]
        if other in [str(n).removeprefix("rule:") for n in names]:
            return key
    return "kind"


def _check_circles(pipelines: Pipelines, rules: Rules, problems: list[Problem]) -> None:
    waits: dict[str, Sequence[str]] = {}
    owner: dict[str, Part] = {}
    for part, options in pipelines.values():
        given = [i.removeprefix("rule:") for i in options.inputs]
        for rule in options.rules:
            owner.setdefault(rule, part)
            waits.setdefault(rule, getattr(rules[rule][1] if rule in rules else None, "inputs", given))
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
