"""What `adjustable` of a rule allows: limits within which a command may set its options, checked with the config."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgeinfer.app.probe import Plugin, build
from edgeinfer.config import Part, decode
from edgeinfer.errors import InputError, Problem, nearest


@dataclass(frozen=True, slots=True)
class Limits:
    """Both ends may be set, too. Limits that are whole numbers leave only whole numbers between them."""

    low: float
    high: float

    def problem(self, value: object) -> str:
        """What is wrong with `value`, or nothing."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return f"expected a number, found {value!r}"
        if not self.low <= value <= self.high:
            return f"expected {self.low:g} to {self.high:g}, as `adjustable` in the config allows, found {value:g}"
        if isinstance(self.low, int) and isinstance(self.high, int) and not isinstance(value, int):
            return f"expected a whole number, as `adjustable` has them, found {value:g}"
        return ""


def limits_of(part: Part, key: str) -> Limits:
    """What `[rule.NAME] adjustable` says of `key`.

    Raises:
        InputError: it may not be set.
    """
    pair = part.adjustable.get(key)
    if pair is None:
        there = ", ".join(part.adjustable) or "none"
        raise InputError(
            f"rule.{part.name}.{key} may not be set{nearest(key, part.adjustable)} (adjustable there: {there}); "
            f"the config allows it with [rule.{part.name}] adjustable = {{ {key} = [LOW, HIGH] }}"
        )
    return Limits(*pair)


def with_option(part: Part, key: str, value: Any) -> Part:
    return replace(part, options={**part.options, key: value})


def check_adjustable(plugins: Mapping[str, Plugin], device: str, problems: list[Problem]) -> None:
    """Appends what is wrong with the limits: that no such option is there, that it cannot take them, …"""
    for plugin in plugins.values():
        for key, pair in plugin.part.adjustable.items():
            if text := _problem(plugin, key, pair, device):
                problems.append(Problem(plugin.part.where.at("adjustable", key), text))


def _problem(plugin: Plugin, key: str, pair: object, device: str) -> str:
    fields = plugin.cls.Options.__struct_encode_fields__
    if key not in fields:
        return f"[rule.{plugin.part.name}] has no option {key!r}{nearest(key, fields)}"
    now = getattr(plugin.options, key)
    if isinstance(now, bool) or not isinstance(now, int | float):
        return f"only numbers can be set, and {key} is {now!r}"
    if not _is_pair(pair):
        return f"expected the limits [LOW, HIGH], two numbers of which the first is lower, found {pair!r}"
    limits = Limits(*pair)  # type: ignore[misc]  # looked at above
    if not limits.low <= now <= limits.high:
        return f"{key} is {now:g} in this config, which is not within {limits.low:g} to {limits.high:g}"
    return next(
        (text for end in (limits.low, limits.high) if (text := _refused(plugin, key, end, device))), ""
    )


def _is_pair(pair: object) -> bool:
    if not isinstance(pair, list) or len(pair) != 2:
        return False
    if any(isinstance(n, bool) or not isinstance(n, int | float) or not math.isfinite(n) for n in pair):
        return False
    return bool(pair[0] < pair[1])


def _refused(plugin: Plugin, key: str, value: float, device: str) -> str:
    """Why the rule could not have `value`, or nothing."""
    told: list[Problem] = []
    part = with_option(plugin.part, key, value)
    options = decode(part, plugin.cls.Options, told)
    if options is not None:
        try:
            build(Plugin(part, plugin.cls, options), device)
        except InputError as error:
            return f"the rule does not take {key} = {value:g}: {error}"
    return f"the rule does not take {key} = {value:g}: {told[0].message}" if told else ""
