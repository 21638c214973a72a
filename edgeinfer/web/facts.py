"""What the page tells of the device besides pictures and decisions: health, and what it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from queue import Empty
from threading import Lock
from typing import Any

from edgeinfer import __version__
from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.fronts import Inside
from edgeinfer.app.probe import Plugin
from edgeinfer.geometry import Point
from edgeinfer.runtime.board import Board
from edgeinfer.web.live import Shapes

_FRESH_NS = 900_000_000  # several viewers get the same health


@dataclass
class Facts:
    """`blueprint` gives the one that runs."""

    blueprint: Callable[[], Blueprint]
    inside: Inside
    board: Board = field(default_factory=Board)
    _lock: Lock = field(default_factory=Lock)
    _health: dict[str, Any] = field(default_factory=dict)
    _asked_ns: int = -_FRESH_NS

    def mono_ns(self) -> int:
        return self.inside.clock.now().mono_ns

    def health(self) -> dict[str, Any]:
        """As the command `health` answers, with `temp_c`; at most a second old. The last one while the daemon is busy."""
        with self._lock:
            now_ns = self.mono_ns()
            if not self._health or now_ns - self._asked_ns >= _FRESH_NS:
                try:
                    self._health = {**self.inside.ask(self.inside.snapshot), "temp_c": self.board.temp_c()}
                except Empty:
                    return self._health
                self._asked_ns = now_ns
            return self._health

    def about(self, pictures: list[str]) -> dict[str, Any]:
        """What there is: sources (with `pictures` of them or not), pipelines, rules with their zones, what may be asked."""
        blueprint = self.blueprint()
        return {
            "device": blueprint.device,
            "version": __version__,
            "sources": {name: {"pictures": name in pictures} for name in blueprint.sources},
            "pipelines": {
                name: {"sources": list(p.options.all_sources), "rules": list(p.options.rules)}
                for name, p in blueprint.pipelines.items()
            },
            "rules": {name: _rule(plugin) for name, plugin in blueprint.rules.items()},
            "allow": list(blueprint.web.allow),
        }

    def shapes(self, source: str) -> Shapes:
        """Zones and lines of the rules that judge this source."""
        blueprint = self.blueprint()
        names = {
            r
            for p in blueprint.pipelines.values()
            if source in p.options.all_sources
            for r in p.options.rules
        }
        rules = [blueprint.rules[name] for name in sorted(names)]
        zones, lines = ([s for rule in rules if (s := _shape(rule, key))] for key in ("zone", "line"))
        return zones, lines


def _rule(plugin: Plugin) -> dict[str, Any]:
    return {"kind": plugin.part.kind, "zone": _shape(plugin, "zone"), "line": _shape(plugin, "line")}


def _shape(plugin: Plugin, key: str) -> list[Point]:
    """Corners; the `zone` of a schedule is a time zone, and no shape."""
    shape = getattr(plugin.options, key, ())
    return [] if isinstance(shape, str) else list(shape)
