"""An accelerator lost, hung and aborted again and again: how long until the next answer, and what is left behind.

`python -m benchmarks.fallback [CYCLES] [--daemon]` (default 200; --daemon: over a whole `edgeinfer run`, some
ten minutes); the accelerator is the stand-in of tests/fixtures/delegate.c.
Each cycle: the accelerator infers, a fault is switched on, the next picture is asked for, the fault is switched off,
and it is waited until the accelerator infers again. The pauses before a new try are short here (20 to 50 ms): they are
no part of what is measured.
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from edgeinfer.backoff import Backoff
from edgeinfer.engine.opening import Opening
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import BundlePredictor, open_predictor
from edgeinfer.events import Frame, Instant
from edgeinfer.store import open_bundle
from tests.engine import tiny
from tests.fixtures.delegates import SOURCE, Accelerator, build

FAULTS = ("fail", "hang", "abort", "crash", "out")
SETTLED = 20  # cycles until caches and allocators have what they keep
_BACK_S = 60.0


@dataclass(frozen=True)
class Left:
    """What a process has at one moment."""

    rss_kb: int
    descriptors: int
    children: int
    threads: int


@dataclass
class Cycles:
    """Seconds from asking for a picture under a fault to its answer, by fault; what there was before and after."""

    answer_s: dict[str, list[float]] = field(default_factory=lambda: {fault: [] for fault in FAULTS})
    back_s: list[float] = field(default_factory=list)
    found: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    before: Left | None = None
    after: Left | None = None


def left() -> Left:
    gc.collect()
    status = Path("/proc/self/status").read_text()
    rss_kb = int(status.partition("VmRSS:")[2].split()[0])
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    every = [p.read_text().split() for p in Path("/proc/self/task").glob("*/children")]
    count = len({pid for pids in [children, *every] for pid in pids})
    return Left(rss_kb, len(os.listdir("/proc/self/fd")), count, threading.active_count())


def on_accelerator(predictor: BundlePredictor) -> bool:
    return "libdelegate" in predictor.runtime


def cycle(
    accelerator: Accelerator, predictor: BundlePredictor, frame: Frame, fault: str, seen: Cycles
) -> None:
    accelerator.turn(fault)
    start = time.perf_counter()
    findings = predictor.predict(frame).findings
    seen.answer_s[fault].append(time.perf_counter() - start)
    seen.found[",".join(f.label for f in findings)] += 1
    accelerator.turn("")
    while not on_accelerator(predictor):
        if time.perf_counter() - start > _BACK_S:
            raise SystemExit(f"after {fault} it did not come back within {_BACK_S} s: {predictor.warning}")
        time.sleep(0.002)
    predictor.predict(frame)
    seen.back_s.append(time.perf_counter() - start)


def measure(accelerator: Accelerator, cycles: int) -> Cycles:
    seen = Cycles()

    def count(name: str) -> None:
        seen.counts[name] += 1

    options = ModelOptions(bundle="b", backends=("external", "cpu"), external=accelerator.table())
    opening = Opening(count=count, backoff=lambda: Backoff(0.02, 0.05), patience_s=30.0)
    predictor = open_predictor(open_bundle(accelerator.bundle), options, opening)
    frame = Frame(("cam", 0), Instant("b", 0, 0), tiny.picture())
    for n in range(cycles):
        if n == SETTLED:
            seen.before = left()
        cycle(accelerator, predictor, frame, FAULTS[n % len(FAULTS)], seen)
    seen.after = left()
    predictor.close()
    return seen


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cycles", type=int, nargs="?", default=200)
    parser.add_argument("--daemon", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        accelerator = Accelerator(build(SOURCE, Path(folder)), Path(folder))
        if asked.daemon:
            over_a_daemon(accelerator, Path(folder), asked.cycles)
        else:
            over_a_predictor(accelerator, asked.cycles)


def over_a_predictor(accelerator: Accelerator, cycles: int) -> None:
    seen = measure(accelerator, cycles)
    tell_waits("next answer after", seen.answer_s)
    print(f"back on the accelerator after {statistics.median(seen.back_s):.2f} s (median)")
    print(f"found  {dict(seen.found)}; {dict(seen.counts)}")
    tell_left(seen.before, seen.after)


def over_a_daemon(accelerator: Accelerator, folder: Path, cycles: int) -> None:
    from benchmarks import fallback_daemon

    seen = fallback_daemon.measure(accelerator, folder, cycles)
    tell_waits("longest without a decision", seen.waited_s)
    print(f"lost {seen.lost}, back {seen.back}; states {sorted(seen.states)}; exit {seen.exit_code}")
    tell_left(seen.before, seen.after)


def tell_waits(what: str, waits: dict[str, list[float]]) -> None:
    for fault, seconds in waits.items():
        if seconds:
            print(
                f"{fault:6} {what} {1e3 * statistics.median(seconds):7.1f} ms (median), "
                f"{1e3 * max(seconds):7.1f} ms (worst of {len(seconds)})"
            )
    worst = max(max(seconds) for seconds in waits.values() if seconds)
    print(f"bound  1000 ms: {'held' if worst <= 1 else 'MISSED'}")


def tell_left(before: Left | None, after: Left | None) -> None:
    if before and after:
        print(f"before {before}\nafter  {after}")
        print(f"memory {100 * (after.rss_kb / before.rss_kb - 1):+.2f} % (bound 2 %)")


if __name__ == "__main__":
    main()
