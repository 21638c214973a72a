"""Replay against the bare model loop, on the same recording of the pedestrian video, on the same number of cores.

    python -m benchmarks.replay [--pairs N] [--frames N] [--jobs N]

The bare loop reads each picture of the recording, resizes, infers and decodes as somebody would write it by hand
(benchmarks/handwritten.py), in N processes that share the pictures; it has no rules. Replay is `edgeinfer replay`
with a tracker, a line and a count, N jobs. Both begin with the models open. Met: replay at least 0.95 x the loop's speed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import VIDEO, person_model
from benchmarks.pairs import alternate

CONFIG = """\
device = "bench"
[source.cam]
kind = "camera"
from = "unused.avi"
[model.person]
bundle = "person"
[rule.people]
kind = "count"
labels = ["person"]
score = 0.5
[rule.crossed]
kind = "line"
line = [[0.45, 0.2], [0.45, 1.0]]
[pipeline.watch]
source = "cam"
model = "person"
rules = ["people", "crossed"]
track = {}
"""


def record(folder: Path, frames: int) -> Path:
    import cv2

    from edgeinfer.events import Frame, Instant
    from edgeinfer.recording import Writer

    start = Instant("bench", 0, 1_577_836_800_000_000_000)
    writer = Writer(folder / "rec", "bench", start, pictures="jpg")
    capture = cv2.VideoCapture(str(VIDEO))
    for n in range(frames):
        there, pixels = capture.read()
        if not there:
            break
        writer.write(Frame(("cam", n), start.later(n * 100_000_000), pixels))
    writer.close()
    return folder / "rec"


def bare(recording: Path, part: int, parts: int) -> None:
    """One process of the loop: says when it is ready, and how many pictures it did once it is told to go."""
    import cv2
    import numpy as np
    from ai_edge_litert.interpreter import Interpreter

    from benchmarks.handwritten import SCORE, decode

    bundle = person_model()
    interpreter = Interpreter(str(bundle.model), num_threads=1)
    interpreter.allocate_tensors()
    inp = interpreter.get_input_details()[0]
    outs = {o["name"]: o for o in interpreter.get_output_details()}
    boxes, logits, anchors = outs[bundle.boxes], outs[bundle.scores], np.load(bundle.anchors)
    interpreter.invoke()
    cv2.setNumThreads(1)
    files = sorted(recording.glob("*/frames/*.jpg"))[part::parts]
    print("ready", flush=True)
    sys.stdin.readline()
    people = 0
    for file in files:
        small = cv2.cvtColor(cv2.resize(cv2.imread(str(file)), (300, 300)), cv2.COLOR_BGR2RGB)
        interpreter.set_tensor(inp["index"], (small[None].astype(np.int16) - 128).astype(np.int8))
        interpreter.invoke()
        found = decode(
            interpreter.get_tensor(boxes["index"]).reshape(-1, 4),
            interpreter.get_tensor(logits["index"])[0],
            boxes["quantization"],
            logits["quantization"],
            anchors,
        )
        people += len(found)
    print(len(files), people, SCORE, flush=True)
    os._exit(0)


def bare_side(recording: Path, jobs: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.replay", "--bare", str(recording)]
    loops = [
        subprocess.Popen(
            [*command, str(part), str(jobs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        for part in range(jobs)
    ]
    for loop in loops:
        loop.stdout.readline()
    start = time.monotonic()
    for loop in loops:
        loop.stdin.write(b"go\n")
        loop.stdin.flush()
    done = sum(int(loop.communicate()[0].split()[0]) for loop in loops)
    return {"fps": done / (time.monotonic() - start)}


def replay(recording: Path, config: Path, jobs: int) -> None:
    """In a process of its own: from the first picture to the end of the run."""
    from edgeinfer.cli.replay_input import Replaced
    from edgeinfer.evaluate.ahead import Ahead
    from edgeinfer.evaluate.replaying import Way, replayed
    from edgeinfer.events import Frame, Inference

    blueprint = Replaced(recording, config, None).silent()
    ahead = Ahead(jobs)
    ahead.know(blueprint)
    seen: list[float] = []
    first: list[float] = []

    def tap(_post, what):
        if isinstance(what, Frame) and not first:
            first.append(time.monotonic())
        if isinstance(what, Inference):
            seen.append(time.monotonic())

    replayed(blueprint, Way(ahead.open, ahead.ahead, (tap, ahead.see)))
    print((len(seen) - 1) / (seen[-1] - seen[0]), flush=True)


def replay_side(recording: Path, config: Path, jobs: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.replay", "--replay", str(recording), str(config), str(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"fps": float(done.stdout.split()[-1])}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--frames", type=int, default=795)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--bare", nargs=3)
    parser.add_argument("--replay", nargs=3)
    args = parser.parse_args()
    if args.bare:
        return bare(Path(args.bare[0]), int(args.bare[1]), int(args.bare[2]))
    if args.replay:
        return replay(Path(args.replay[0]), Path(args.replay[1]), int(args.replay[2]))
    with tempfile.TemporaryDirectory() as folder:
        recording, config = record(Path(folder), args.frames), Path(folder) / "config.toml"
        config.write_text(CONFIG)
        pairs = alternate(
            lambda: replay_side(recording, config, args.jobs),
            lambda: bare_side(recording, args.jobs),
            args.pairs,
        )
    ratio = pairs.ratio("fps")
    print(pairs.table("fps"))
    print(f"replay | bare loop, {args.jobs} jobs, pictures a second")
    print(f"speed  {ratio} of the loop's; bound ≥ 0.95: {ratio.verdict(at_least=0.95)}")
    return None


if __name__ == "__main__":
    main()
