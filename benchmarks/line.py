"""Throughput: frames per second and CPU per frame of the daemon, against a hand-written loop, on the same video.

    python -m benchmarks.line [--pairs N] [--frames N]

Both run models/person (int8, one thread) on every frame of the pedestrian video as fast as they go, and publish
to the same mosquitto at QoS 1 when another number of people has stood for 0.3 s (of the video); the daemon keeps its promise (outbox on disk)
meanwhile. Met: throughput at least 0.97 x, CPU per frame at most 1.03 x the loop's.
"""

from __future__ import annotations

import argparse

from benchmarks.pairs import alternate
from benchmarks.sides import ours, run_side, theirs, video
from edgeinfer.testing.broker import broker


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--frames", type=int, default=300)
    args = parser.parse_args()
    with broker() as own:
        extra = [
            "--video",
            str(video()),
            "--port",
            str(own.port),
            "--frames",
            str(args.frames),
            "--hold",
            "3",
        ]
        pairs = alternate(lambda: run_side(ours, extra), lambda: run_side(theirs, extra), args.pairs)
    fps = pairs.ratio("fps")
    cpu = pairs.ratio("cpu_ms")
    print(pairs.table("fps", "cpu_ms", "decisions"))
    print(f"throughput     {fps} of the loop's; bound ≥ 0.97: {fps.verdict(at_least=0.97)}")
    print(f"CPU per frame  {cpu} of the loop's; bound ≤ 1.03: {cpu.verdict(at_most=1.03)}")


if __name__ == "__main__":
    main()
