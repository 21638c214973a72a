"""Recipes: other thresholds or another bundle while a value of the context holds; each is built and checked at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from edgeinfer.app.options import RecipeOptions
from edgeinfer.config import Config, Part, Where, decode
from edgeinfer.errors import Problem, nearest


@dataclass(frozen=True)
class Recipe:
    """What one changes: name → part with the changed keys. `value` is what the context says when it holds."""

    part: Part
    value: str
    rules: Mapping[str, Part] = field(default_factory=dict)
    models: Mapping[str, Part] = field(default_factory=dict)


def read_recipes(config: Config, problems: list[Problem]) -> dict[str, Recipe]:
    """Value → recipe. Names of rules and models are checked here, their keys by whoever builds them."""
    found: dict[str, Recipe] = {}
    for name, part in config.of("recipe").items():
        options = decode(part, RecipeOptions, problems)
        if options is None:
            continue
        value = options.value or name
        if value in found:
            text = f"{value!r} chooses [recipe.{found[value].part.name}] already"
            problems.append(Problem(part.where.at("value"), text))
            continue
        rules = _changed(config, "rule", part, options.rule, problems)
        models = _changed(config, "model", part, options.model, problems)
        found[value] = Recipe(part, value, rules, models)
    return found


def _changed(
    config: Config,
    section: str,
    recipe: Part,
    tables: Mapping[str, Mapping[str, Any]],
    problems: list[Problem],
) -> dict[str, Part]:
    known, changed = config.of(section), {}
    for name, keys in tables.items():
        if name not in known:
            there = ", ".join(known) or "none"
            text = f"no [{section}.{name}] in this config{nearest(name, known)} (there are: {there})"
            problems.append(Problem(recipe.where.at(section, name), text))
        elif "kind" in keys:
            text = f"a recipe changes keys of [{section}.{name}]; for another kind write a second {section}"
            problems.append(Problem(recipe.where.at(section, name, "kind"), text))
        else:
            changed[name] = _merged(known[name], recipe, keys)
    return changed


def _merged(part: Part, recipe: Part, keys: Mapping[str, Any]) -> Part:
    """`part` with other values at `keys`; what is wrong with one of them is told at its line in the recipe."""
    own, theirs = part.where.path, (*recipe.where.path, part.section, part.name)
    moved = {
        (*own, *path[len(theirs) :]): f"{place} [recipe.{recipe.name}]"
        for path, place in part.where.places.items()
        if path[: len(theirs)] == theirs and len(path) > len(theirs)
    }
    kept = {
        path: place
        for path, place in part.where.places.items()
        if not (path[: len(own)] == own and len(path) > len(own) and path[len(own)] in keys)
    }
    where = Where(part.where.name, {**kept, **moved}, own)
    return replace(part, options={**part.options, **keys}, where=where)


def unobeyed(recipes: Mapping[str, Part], *, obeying: bool) -> list[Problem]:
    """Recipes that no pipeline obeys are a mistake."""
    if not recipes or obeying:
        return []
    text = 'no pipeline obeys recipes: add context = ["recipe"] to the one whose rules or models this is to change'
    return [Problem(next(iter(recipes.values())).where.at(), text)]
