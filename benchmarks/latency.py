"""Latency: capture → PUBACK at a fixed 10 frames a second, the daemon against a hand-written loop.

    python -m benchmarks.latency [--pairs N] [--frames N]

Both publish to the same mosquitto at QoS 1 when the number of people changes. Capture is when the picture came out
of the decoder. The daemon writes each decision to its outbox on disk first. The first decision is left out on both
sides: the daemon makes it while it still connects (benchmarks.footprint measures the start). Met: the p99 is at most
2 ms later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.sides import run_pairs


def percentiles(found: Mapping[str, Any]) -> dict[str, float]:
    values = sorted(found["latency_ms"][1:])
    at = {name: values[min(int(share * len(values)), len(values) - 1)] for name, share in SHARES.items()}
    return at | {"decisions": float(len(values))}


SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def main() -> None:
    pairs = run_pairs(__doc__, 250, ["--fps", "10"], percentiles)
    print(pairs.table("p50", "p95", "p99", "decisions"))
    for name in SHARES:
        print(f"{name}: ours {pairs.first(name)} ms, the loop {pairs.second(name)} ms")
    added = pairs.difference("p99")
    print(f"added p99 {added} ms; bound ≤ 2: {added.verdict(at_most=2.0)}")


if __name__ == "__main__":
    main()
