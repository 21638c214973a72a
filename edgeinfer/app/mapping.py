"""Checks a sink's map of rules against the rules: whether each exists, and whether its state can be shown there."""

from __future__ import annotations

from collections.abc import Mapping

from edgeinfer.app.probe import Plugin, build
from edgeinfer.config import Part
from edgeinfer.errors import Problem, nearest


def check_maps(
    sinks: Mapping[str, Plugin],
    rules: Mapping[str, Plugin],
    known: Mapping[str, Part],
    device: str,
    problems: list[Problem],
) -> None:
    """A sink that shows states says in `takes` which kinds; one that does not takes all. `known`: also rules that are wrong."""
    for sink in sinks.values():
        for rule, kinds in getattr(sink.cls, "takes", lambda _: {})(sink.options).items():
            where = sink.part.where.at("map", rule)
            if rule not in known:
                there = ", ".join(known) or "none"
                problems.append(
                    Problem(
                        where, f"no [rule.{rule}] in this config{nearest(rule, known)} (there are: {there})"
                    )
                )
            elif rule in rules and getattr(build(rules[rule], device), "states", "binary") not in kinds:
                text = f'[rule.{rule}] is a number, and a coil shows on and off: write "holding:ADDRESS:TYPE"'
                problems.append(Problem(where, text))
