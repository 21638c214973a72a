"""What both sides of a benchmark measure in the same way: frames, wall and CPU time between frames, latencies."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent
VIDEO = ROOT / ".cache/vtest.avi"


@dataclass
class Figures:
    """Wall and CPU time run from the end of the first frame to the end of the last: start-up does not count."""

    frames: int = 0
    decisions: int = 0
    latency_ns: list[int] = field(default_factory=list)
    first: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)

    def frame(self) -> None:
        self.frames += 1
        self.last = (time.monotonic_ns(), time.process_time_ns())
        if self.frames == 1:
            self.first = self.last

    def as_json(self) -> str:
        n = max(self.frames - 1, 1)
        wall_s, cpu_s = ((b - a) / 1e9 for a, b in zip(self.first, self.last, strict=True))
        return json.dumps(
            {
                "frames": self.frames,
                "decisions": self.decisions,
                "fps": n / wall_s if wall_s else 0.0,
                "cpu_ms": cpu_s * 1e3 / n,
                "latency_ms": [round(ns / 1e6, 4) for ns in self.latency_ns],
            }
        )


@dataclass(frozen=True)
class PersonModel:
    model: Path
    anchors: Path
    boxes: str
    scores: str


def person_model() -> PersonModel:
    from edgeinfer import store

    bundle = store.open_bundle(store.find_bundle("person"))
    outputs = bundle.manifest.outputs
    return PersonModel(
        bundle.path("person_int8.tflite"), bundle.path("anchors.npy"), outputs["boxes"], outputs["scores"]
    )
