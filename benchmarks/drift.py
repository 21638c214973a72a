"""What drift costs an inference: measuring a picture of 640 x 480 and counting it against a reference of 12 measures.

    python -m benchmarks.drift [--looks N]

Bound: at most 50 us together, on CPU time; the statistic itself, computed now and then, is in it. The baseline in the
same run is the mean of the whole picture, which a straightforward measure of brightness would take. Exit 1 when the
bound is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace

import numpy as np

from edgeinfer.distributions import Gathering
from edgeinfer.events import Detection, Frame, Inference, Instant
from edgeinfer.geometry import Box
from edgeinfer.measures import measured
from edgeinfer.ports import RulePlace
from edgeinfer.rules.drift import Drift

BOUND_US = 50.0
LABELS = ("good", "scratched", "hole_missing")


def looks(n: int, seed: int) -> list[tuple[Frame, Inference]]:
    rng = np.random.default_rng(seed)
    pictures = [rng.integers(0, 256, (480, 640, 3), np.uint8) for _ in range(16)]
    made = []
    for i in range(n):
        at = Instant("b", i * 10**8, i * 10**8)
        found = tuple(Detection(label, float(rng.random()), Box(0.1, 0.1, 0.2, 0.2)) for label in LABELS)
        made.append((Frame(("belt", i), at, pictures[i % 16]), Inference(("belt", i), at, found)))
    return made


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--looks", type=int, default=5000)
    n = parser.parse_args().looks
    gathering = Gathering()
    for frame, seen in looks(2000, 1):
        gathering.add(replace(seen, measures=measured(frame)))
    reference = gathering.reference(200)
    rule = Drift(Drift.Options(), RulePlace("line", "drift", reference=reference))
    shown = looks(n, 2)
    started = time.process_time_ns()
    for frame, seen in shown:
        rule.observe(replace(seen, measures=measured(frame)))
    each_us = (time.process_time_ns() - started) / n / 1e3
    started = time.process_time_ns()
    for frame, _ in shown[:500]:
        frame.pixels.mean()
    mean_us = (time.process_time_ns() - started) / 500 / 1e3
    print(
        f"drift: {each_us:.1f} us an inference, {len(reference.measures)} measures (bound {BOUND_US:.0f} us)"
    )
    print(f"the mean of the whole picture alone: {mean_us:.1f} us; ratio {each_us / mean_us:.3f}")
    return 0 if each_us <= BOUND_US else 1


if __name__ == "__main__":
    sys.exit(main())
