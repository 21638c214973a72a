"""A config with what commands have changed: laid over it at each start and reload, and left out where it no longer fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import msgspec

from edgeinfer.app.adjusting import limits_of, with_option
from edgeinfer.app.blueprint import Blueprint, draw
from edgeinfer.app.override_file import Overrides, read
from edgeinfer.config import Config
from edgeinfer.errors import ConfigError, InputError, Problem


def draw_overridden(
    config: Config, frame: Sequence[Problem] = (), state_dir: Path | None = None
) -> Blueprint:
    """As `draw`, with the overrides of the state folder; those that do not fit are in `ignored`, each with the reason.

    Raises:
        ConfigError: the user's own config is wrong.
    """
    plain = draw(config, frame, state_dir)
    wanted, broken = read(plain.state.folder(config.device, state_dir))
    told = [broken] if broken else []
    fitting = _fitting(plain, wanted, told)
    if not fitting:
        return replace(plain, ignored=tuple(told), written=config)
    try:
        blueprint = draw(overridden(config, fitting), (), state_dir)
    except ConfigError:
        fitting = _one_by_one(config, fitting, state_dir, told)
        blueprint = draw(overridden(config, fitting), (), state_dir)
    return replace(blueprint, overrides=fitting, ignored=tuple(told), written=config)


def overridden(config: Config, overrides: Overrides) -> Config:
    """`config` with the values in place, and another digest. What is paused is no part of what the config says."""
    if not overrides.values:
        return config
    # Limits belong to the values that the user wrote; both ends of one may not go with another that was set.
    rules = {name: replace(part, adjustable={}) for name, part in config.of("rule").items()}
    for path, value in overrides.values.items():
        _, name, key = path.split(".")
        rules[name] = with_option(rules[name], key, value)
    said = msgspec.json.encode([config.digest, overrides.values], order="deterministic")
    digest = "sha256:" + sha256(said).hexdigest()[:12]
    return replace(config, parts={**config.parts, "rule": rules}, digest=digest)


def check_value(blueprint: Blueprint, path: str, value: object) -> None:
    """That a command may set `path` ("rule.NAME.KEY") to `value`.

    Raises:
        InputError: it may not; says what is allowed.
    """
    written = blueprint.written or blueprint.config
    section, _, rest = path.partition(".")
    name, _, key = rest.partition(".")
    part = written.of("rule").get(name)
    if section != "rule" or not key or "." in key or part is None:
        there = ", ".join(written.of("rule"))
        raise InputError(
            f"expected rule.NAME.KEY, such as rule.scratched.score (rules: {there}), found {path!r}"
        )
    if text := limits_of(part, key).problem(value):
        raise InputError(f"{path}: {text}")


def check_pipeline(blueprint: Blueprint, name: str) -> None:
    """Raises InputError where there is no such pipeline."""
    if name not in blueprint.pipelines:
        raise InputError(f"no pipeline {name!r} (there are: {', '.join(blueprint.pipelines)})")


def _fitting(blueprint: Blueprint, wanted: Overrides, told: list[str]) -> Overrides:
    values, paused = {}, []
    for path, value in wanted.values.items():
        try:
            check_value(blueprint, path, value)
            values[path] = value
        except InputError as error:
            told.append(_ignored(f"{path} = {value:g}", str(error)))
    for name in wanted.paused:
        if name in blueprint.pipelines:
            paused.append(name)
        else:
            told.append(_ignored(f"pause {name}", "there is no such pipeline any more"))
    return Overrides(values, tuple(paused))


def _one_by_one(config: Config, wanted: Overrides, state_dir: Path | None, told: list[str]) -> Overrides:
    """Together they make a config that is wrong: in their order, those with which it is right."""
    fitting = Overrides({}, wanted.paused)
    for path, value in wanted.values.items():
        tried = Overrides({**fitting.values, path: value}, wanted.paused)
        try:
            draw(overridden(config, tried), (), state_dir)
            fitting = tried
        except ConfigError as error:
            told.append(_ignored(f"{path} = {value:g}", str(error)))
    return fitting


def _ignored(what: str, why: str) -> str:
    return f"what a command had set is ignored: {what}: {why}"
