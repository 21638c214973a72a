"""Builds a plugin once and throws it away: what its constructor says is wrong becomes a config problem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgeinfer.app.zones import zone
from edgeinfer.clock import SourceStamp, SystemClock
from edgeinfer.config import Part, blame
from edgeinfer.errors import InputError, Problem
from edgeinfer.ports import RulePlace, SinkPlace, SourcePlace, no_will


@dataclass(frozen=True)
class Plugin:
    """A part whose plugin was found and whose options are right."""

    part: Part
    cls: Any
    options: Any


def try_out(plugin: Plugin, device: str, problems: list[Problem]) -> bool:
    """Whether it can be built. Constructors touch no device and no network, so this is cheap and safe (see ports)."""
    try:
        build(plugin, device)
    except InputError as error:
        problems.append(blame(plugin.part, plugin.cls.Options, error))
        return False
    return True


def build(plugin: Plugin, device: str) -> Any:
    """The plugin at a place where nobody listens.

    Raises:
        InputError: an option is wrong in itself.
    """
    return plugin.cls(plugin.options, _place(plugin.part.section, plugin.part.name, device))


def _place(section: str, name: str, device: str) -> Any:
    if section == "source":
        return SourcePlace(name, SourceStamp(name, SystemClock()), _silent)
    if section == "rule":
        return RulePlace("", name, zone)
    return SinkPlace(name, device, "", no_will, _silent)


def _silent(_topic: str, _text: str | None) -> None:
    """What a probe complains of is of no interest; the real part will say it again."""
