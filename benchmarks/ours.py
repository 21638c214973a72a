"""The other side of the line benchmarks: the real daemon on a config, measured at the same two places.

    python benchmarks/ours.py --video FILE --port PORT [--fps N] [--for S]

Frames are counted where a tap sees the inference; latency is capture → PUBACK as the courier meters it.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from threading import Timer

from benchmarks.figures import Figures
from edgeinfer.app.blueprint import draw
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.config import loads
from edgeinfer.events import Inference
from edgeinfer.meters import Histogram

CONFIG = """\
device = "bench"
[source.cam]
kind = "camera"
from = "{video}"
pace = "{pace}"
{fps}
[model.person]
bundle = "person"
[rule.people]
kind = "count"
labels = ["person"]
score = 0.5
for_s = {for_s}
[pipeline.watch]
source = "cam"
model = "person"
rules = ["people"]
[sink.broker]
kind = "mqtt"
url = "mqtt://127.0.0.1:{port}"
"""


class Exact(Histogram):
    """A histogram that also keeps every value: percentiles of a benchmark are not rounded to buckets."""

    __slots__ = ("values",)

    def __init__(self) -> None:
        super().__init__()
        self.values: list[int] = []

    def record(self, ns: int) -> None:
        super().record(ns)
        self.values.append(ns)


def config(video: str, port: int, fps: float, hold: int = 0) -> str:
    """A count must stand for `hold` frames of the video (10 a second).

    At a pace, a live camera's mailbox (`newest`); without one, `lockstep`: every frame, as fast as it goes."""
    pace = "real" if fps else "lockstep"
    return CONFIG.format(
        video=video, pace=pace, port=port, fps=f"fps = {fps}" if fps else "", for_s=hold / 10
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--video", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fps", type=float, default=0)
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--hold", type=int, default=0)
    args = parser.parse_args()
    blueprint = draw(loads(config(args.video, args.port, args.fps, args.hold), "bench"))
    figures, acknowledged = Figures(), Exact()
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon(Setting(blueprint, lambda: blueprint, Path(folder)))
        daemon.health.post("sink.broker").meters.histograms["acknowledged"] = acknowledged

        def tap(_post: str, seen: object) -> None:
            if isinstance(seen, Inference):
                figures.frame()
                if figures.frames == args.frames:
                    Timer(0.5, daemon.stop).start()

        daemon.taps.add(tap)
        daemon.run()
    figures.decisions = daemon.health.post("pipeline.watch").meters.counters.get("decisions", 0)
    figures.latency_ns = acknowledged.values
    print(figures.as_json(), flush=True)


if __name__ == "__main__":
    main()
