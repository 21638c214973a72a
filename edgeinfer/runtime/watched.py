"""Keeps the post `board` of health up to date with how the board is; reads no file itself and slows nothing down."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgeinfer.runtime.health import Health
from edgeinfer.runtime.vitals import Topics, Vitals, concerns


class Watched:
    """`look()` reads once, sets the gauges of the post `board`, and reports what is worth a word."""

    def __init__(self, read: Callable[[], Vitals], folder: Path, health: Health) -> None:
        self._read, self._folder, self._health = read, folder, health
        self._report = health.reporter("board")
        self._said: Topics = {}

    def look(self) -> None:
        seen = self._read()
        post = self._health.post("board")
        post.meters.gauges = seen.gauges()  # in one step: what a board no longer tells is gone
        post.facts["clock"] = "synchronised" if seen.clock_synced else "not synchronised"
        self._said = concerns(seen, self._said, self._folder)
        for topic, text in self._said.items():
            self._report(topic, text)
