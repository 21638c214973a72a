"""A belt with a light barrier, recipes and a cascade, through the whole daemon; `python -m tests.golden.asked` renews it.

The barrier's triggers are recorded and replayed; the pictures are rendered. What is asked about is the part in the
middle: the small model looks at it, and the large one where that sees a defect or is in doubt.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from edgeinfer.app.blueprint import draw
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.clock import StillClock
from edgeinfer.config import loads
from edgeinfer.events import Decision, Instant, Trigger, decision_id
from edgeinfer.recording import Writer
from edgeinfer.sources.belt import Belt, BeltSettings
from edgeinfer.sources.camera import REPLAY_START, replayed, unix_ns

GOLDEN = Path(__file__).parent / "asked.jsonl"
FPS, FOR_S, SEED = 15, 60.0, 3
START_NS = unix_ns(REPLAY_START)
RECIPES = ("strict", "scratches-allowed")

CONFIG = """
device = "cell-3"

[source.belt]
kind = "synthetic"
pace = "lockstep"
fps = 15
for_s = 60.0
seed = 3

[source.barrier]
kind = "replay"
from = "{recording}"

[model.small]
bundle = "parts-small"

[model.parts]
bundle = "parts"

[rule.defect]
kind = "presence"
label = ["scratched", "hole_missing"]
score = 0.6
zone = [[0.42, 0.0], [0.58, 0.0], [0.58, 1.0], [0.42, 1.0]]

[recipe.strict]
rule.defect.score = 0.5

[recipe.scratches-allowed]
rule.defect.label = "hole_missing"

[pipeline.inspection]
source = "belt"
model = "small"
stages = [{{ labels = ["scratched", "hole_missing"], above = 0.15, model = "parts" }}]
trigger = "barrier"
context = ["part", "recipe"]
unknown_recipe = "unknown"
deadline_ms = 200
rules = ["defect"]

[sink.none]
kind = "console"
"""


class Answered(NamedTuple):
    part: str
    recipe: str | None
    state: str | float
    label: str | None
    at_s: float  # since the start of the belt
    id: str


def asked(path: Path) -> Path:
    """The recording: a trigger when a part's middle passes the picture's, the recipe changes with each tenth part.

    Twice the barrier flickers (a second trigger, before the next picture), and once it tells a recipe that nobody knows.
    """
    writer = Writer(path, "cell-3", Instant("replay", 0, START_NS), pictures=None)
    for n, (ns, part) in enumerate(_passing()):
        recipe = "no-such" if n == 17 else RECIPES[n // 10 % 2]
        context = {"part": str(part), "recipe": recipe}
        for extra_ns in (0, 5_000_000) if n in (4, 12) else (0,):
            writer.write(Trigger(("barrier", n), replayed(START_NS, ns + extra_ns), context))
    writer.close()
    return path


def _passing() -> list[tuple[int, int]]:
    """(nanoseconds, part number) between two pictures each."""
    belt, was, found = Belt(BeltSettings(seed=SEED)), {}, []
    for frame in range(round(FOR_S * FPS) - 2):
        for part in belt.truth(frame / FPS):
            if was.get(part.number, 1.0) < 0.5 <= part.centre[0]:
                found.append((round(frame / FPS * 1e9) + 10_000_000, part.number))
            was[part.number] = part.centre[0]
    return found


def answered(folder: Path) -> list[Answered]:
    config = loads(CONFIG.format(recording=folder / "recording"), "cell")
    blueprint = replace(draw(config), sinks={})
    found: list[Answered] = []

    def tap(_post: str, seen: object) -> None:
        if isinstance(seen, Decision):
            context, told = seen.details["context"], seen.details.get("label")
            at_s = seen.at.mono_ns / 1e9
            ident = decision_id("cell-3", seen, 0)
            found.append(Answered(context["part"], context["recipe"], seen.state, told, at_s, ident))

    daemon = Daemon(Setting(blueprint, lambda: blueprint, folder / "state", clock=StillClock()))
    daemon.taps.add(tap)
    assert daemon.run() == 0
    return found


def main() -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        asked(folder / "recording")
        GOLDEN.write_text("".join(json.dumps(one) + "\n" for one in answered(folder)))


if __name__ == "__main__":
    main()
