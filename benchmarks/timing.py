"""What the benchmarks of decoders share: the time of a call, and the overlap of two boxes as everybody writes it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from benchmarks.pairs import Side


def timed(call: Callable[[], object], n: int) -> Side:
    """How long one of `n` calls takes, in microseconds."""

    def measure() -> dict[str, float]:
        start = time.perf_counter()
        for _ in range(n):
            call()
        return {"us": (time.perf_counter() - start) / n * 1e6}

    return measure


def overlap(a, b):
    sides = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None)
    both = sides.prod()
    return both / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - both)
