"""Throughput: frames per second and CPU per frame of the daemon, against a hand-written loop, on the same video.

    python -m benchmarks.line [--pairs N] [--frames N]

Both run models/person (int8, one thread) on every frame of the pedestrian video as fast as they go, and publish
to the same mosquitto at QoS 1 when another number of people has stood for 0.3 s (of the video); the daemon keeps its promise (outbox on disk)
meanwhile. Met: throughput at least 0.97 x, CPU per frame at most 1.03 x the loop's.
"""

from __future__ import annotations

from benchmarks.sides import run_pairs


def main() -> None:
    pairs = run_pairs(__doc__, 300, ["--hold", "3"])
    fps = pairs.ratio("fps")
    cpu = pairs.ratio("cpu_ms")
    print(pairs.table("fps", "cpu_ms", "decisions"))
    print(f"throughput     {fps} of the loop's; bound ≥ 0.97: {fps.verdict(at_least=0.97)}")
    print(f"CPU per frame  {cpu} of the loop's; bound ≤ 1.03: {cpu.verdict(at_most=1.03)}")


if __name__ == "__main__":
    main()
