"""The demo's belt in lockstep, from pixels to decisions, through the whole daemon; `python -m tests.golden.belt` renews it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from edgeinfer.app.blueprint import draw
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.cli.demo import CONFIG
from edgeinfer.clock import StillClock
from edgeinfer.config import loads
from edgeinfer.events import Decision, decision_id

GOLDEN = Path(__file__).parent / "belt.jsonl"
PACE = 'kind = "synthetic"\npace = "lockstep"\nfor_s = 60.0\n'


class Decided(NamedTuple):
    rule: str
    state: str | float
    at_s: float  # since the start of the belt
    id: str


def decided() -> list[Decided]:
    """A minute of the belt: what the demo's rules decide, by a tap on the real daemon."""
    config = loads(CONFIG.replace('kind = "synthetic"\n', PACE), "belt")
    blueprint = replace(draw(config), sinks={})
    found: list[Decided] = []

    def tap(_post: str, seen: object) -> None:
        if isinstance(seen, Decision):
            found.append(
                Decided(seen.rule, seen.state, seen.at.mono_ns / 1e9, decision_id(config.device, seen, 0))
            )

    with TemporaryDirectory() as folder:
        daemon = Daemon(Setting(blueprint, lambda: blueprint, Path(folder), clock=StillClock()))
        daemon.taps.add(tap)
        assert daemon.run() == 0
    return found


def main() -> None:
    GOLDEN.write_text("".join(json.dumps(d) + "\n" for d in decided()))


if __name__ == "__main__":
    main()
