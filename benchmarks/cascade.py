"""Does a cascade save, and what does it cost? Compute and accuracy of the gate alone, the full model alone, and both.

    python -m benchmarks.cascade [--parts N]

The belts of `benchmarks.defects`, busy and sparse; the same tracker and rule judge each part. `gate` is the bundle
`parts-small` alone, `full` is `parts` on each picture, `cascade` asks `parts` where `parts-small` is in doubt (a stage with
`above` and `below`), `gated` where it sees what may be a defect, however sure it is (a stage with `labels` and `above`).
Invoke is what the runtime took for one decision (a part judged), CPU all of the thread's time in fit, invoke, decode
and tracking; both are sums over the same pictures, which all variants see in turn. Bounds: the cascade's F1 at least that
of the gate and within 0.01 of the full model's, at less invoke than that. Exit 1 when one is missed.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.defects import TRACK, Verdicts, Watch, opened, show
from benchmarks.tracking import belt_of
from edgeinfer.engine.cascade import Cascade, Chain, Meant, WholePicture
from edgeinfer.events import Frame, Inference
from edgeinfer.meters import Meters
from edgeinfer.sources.belt import GOOD, LABELS
from edgeinfer.tracking.identities import Identities

WITHIN = 0.01
BELTS = {"busy": (120.0, 60.0), "sparse": (120.0, 20.0)}  # px/s, parts a minute
DEFECTS = frozenset(LABELS) - {GOOD}
MAYBE, SURE = 0.1, 0.95


@dataclass
class Cost:
    """What one variant took, and what it said."""

    pictures: int = 0
    asked: int = 0  # pictures that the full model saw
    invoke_ns: int = 0
    cpu_ns: int = 0
    verdicts: Verdicts | None = None

    def per_decision_ms(self, ns: int) -> float:
        return ns / 1e6 / max(len(self.verdicts.said), 1)


class Metered:
    """A predictor that keeps account of itself."""

    def __init__(self, predictor: Cascade, cost: Cost) -> None:
        self._predictor, self._cost = predictor, cost

    def predict(self, frame: Frame) -> Inference:
        started = time.thread_time_ns()
        seen = self._predictor.predict(frame)
        self._cost.cpu_ns += time.thread_time_ns() - started
        self._cost.pictures += 1
        self._cost.asked += "parts.invoke" in seen.timings
        self._cost.invoke_ns += seen.timings["invoke"]
        return seen


def alone(name: str) -> Callable[[Meters], Cascade]:
    return lambda meters: Cascade(Chain({name: opened(name)}, [], 0, Identities(TRACK)), meters.count)


def both(meant: Meant) -> Callable[[Meters], Cascade]:
    def make(meters: Meters) -> Cascade:
        models = {"parts-small": opened("parts-small"), "parts": opened("parts")}
        stages = [WholePicture("parts", meant, models["parts"], meters.count)]
        return Cascade(Chain(models, stages, 1, Identities(TRACK)), meters.count)

    return make


VARIANTS = {
    "gate": alone("parts-small"),
    "full": alone("parts"),
    "cascade": both(Meant(frozenset(LABELS), MAYBE, SURE)),
    "gated": both(Meant(DEFECTS, MAYBE)),
}


def run(belt: str, minutes: float, seed: int) -> dict[str, Cost]:
    """All variants on the same pictures, in turn."""
    rendered, costs, watches, predictors = belt_of(*BELTS[belt], seed), {}, [], []
    for name, make in VARIANTS.items():
        predictors.append(make(Meters()))
        costs[name] = Cost()
        watches.append(Watch(rendered, Metered(predictors[-1], costs[name])))
        costs[name].verdicts = watches[-1].verdicts
    show(rendered, watches, minutes)
    for predictor in predictors:
        predictor.close()
    return costs


def report(belt: str, costs: dict[str, Cost]) -> bool:
    full = costs["full"]
    for name, cost in costs.items():
        print(
            f"{belt:7} {name:8} {len(cost.verdicts.said):6d} {cost.asked / cost.pictures:9.0%} "
            f"{cost.per_decision_ms(cost.invoke_ns):12.2f} {cost.invoke_ns / full.invoke_ns:7.2f} "
            f"{cost.per_decision_ms(cost.cpu_ns):9.2f} {cost.cpu_ns / full.cpu_ns:7.2f} "
            f"{cost.verdicts.f1(whole=True):8.4f} {cost.verdicts.f1():8.4f}"
        )
    f1 = {name: cost.verdicts.f1(whole=True) for name, cost in costs.items()}
    return (
        f1["cascade"] >= max(f1["gate"], f1["full"] - WITHIN) and costs["cascade"].invoke_ns < full.invoke_ns
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", type=int, default=250, help="of each belt")
    asked = parser.parse_args()
    print(
        f"{'belt':7} {'who':8} {'parts':>6} {'full asked':>9} {'invoke ms':>12} {'/ full':>6} {'CPU ms':>9} {'/ full':>7} "
        f"{'F1':>8} {'F1 of all':>8}"
    )
    met = [report(belt, run(belt, asked.parts / BELTS[belt][1], seed)) for seed, belt in enumerate(BELTS)]
    print(
        f"cascade: F1 at least the gate's, within {WITHIN} of the full model's, for less: {'met' if all(met) else 'MISSED'}"
    )
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())
