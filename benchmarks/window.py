"""What it costs to make windows of 38,400 samples/s (3 axes at 12.8 kHz), against the FFTs alone in the same run.

`python benchmarks/window.py [SECONDS_OF_SIGNAL]`; CPU time of one thread, best of five.
"""

from __future__ import annotations

import sys
from time import process_time

import numpy as np

from edgeinfer.engine.window import features
from edgeinfer.engine.window_collect import Collector
from edgeinfer.events import Instant, Readings
from edgeinfer.store import WindowOptions

OPTIONS = WindowOptions(length=2048, channels=("x", "y", "z"), rate_hz=12_800.0, features="bands")
BLOCK = 512


def blocks(seconds: float) -> list[Readings]:
    rng, period_ns = np.random.default_rng(0), 78_125
    count = int(seconds * OPTIONS.rate_hz / BLOCK)
    at = Instant("b", 0, 0)
    return [
        Readings(
            ("m", n),
            at.later(n * BLOCK * period_ns),
            OPTIONS.channels,
            rng.normal(size=(BLOCK, 3)),
            period_ns,
        )
        for n in range(count)
    ]


def ours(signal: list[Readings]) -> None:
    collector = Collector(OPTIONS)
    for readings in signal:
        for _, window in collector.add(readings):
            features(window, OPTIONS)


def ffts(signal: list[Readings]) -> None:
    """One rfft a window: what no implementation of the power bands can do without."""
    rows = np.concatenate([readings.values for readings in signal])
    for start in range(0, len(rows) - OPTIONS.length + 1, OPTIONS.step):
        np.fft.rfft(rows[start : start + OPTIONS.length], axis=0)


def cost_s(work, signal: list[Readings]) -> float:
    best = float("inf")
    for _ in range(5):
        start = process_time()
        work(signal)
        best = min(best, process_time() - start)
    return best


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    signal = blocks(seconds)
    ours(signal[:8])
    mine, least = cost_s(ours, signal), cost_s(ffts, signal)
    print(f"windows and features  {100 * mine / seconds:6.2f} % of a core")
    print(f"one FFT a window      {100 * least / seconds:6.2f} % of a core (ratio {mine / least:.1f})")
    print(f"bound                  10.00 % of a core: {'held' if mine / seconds <= 0.10 else 'MISSED'}")


if __name__ == "__main__":
    main()
