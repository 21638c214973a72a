"""What rules cost: twenty of all kinds on one pipeline, an observation at a time.

    python -m benchmarks.rules [--pairs N]

Three kinds of observation: a look that finds three tracked parts, a block of one row of readings, a decision of another
rule. Bound: at most 50 us each, on CPU time. The baseline in the same run is the hashing and packing of one decision
as a line of JSON, to have something that does not change. Exit 1 when the bound is missed.
"""

from __future__ import annotations

import argparse
import sys
import time

import msgspec
import numpy as np

from benchmarks.pairs import alternate
from edgeinfer import registry
from edgeinfer.events import Decision, Detection, Inference, Instant, Readings, decision_id
from edgeinfer.geometry import Box
from edgeinfer.ports import RulePlace

BOUND_US = 50.0
LEFT = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]
TABLES: list[tuple[str, dict]] = [
    ("presence", {"label": "scratched", "for_s": 0.3, "clear_s": 1.0}),
    ("presence", {"label": ["good", "scratched"], "zone": LEFT}),
    ("count", {"labels": ["good", "scratched"], "for_s": 0.2}),
    ("count", {"zone": LEFT}),
    ("zone", {"zone": LEFT}),
    ("zone", {"zone": LEFT, "tell": "entered"}),
    ("zone", {"zone": LEFT, "tell": "dwell", "dwell_s": 5.0}),
    ("line", {"line": [[0.5, 0.0], [0.5, 1.0]]}),
    ("line", {"line": [[0.7, 0.0], [0.7, 1.0]], "labels": "scratched"}),
    ("rate", {}),
    ("absence", {"for_s": 5.0}),
    ("absence", {"for_s": 5.0, "new": True}),
    ("threshold", {"value": "temp", "on_above": 80.0, "off_below": 75.0}),
    ("threshold", {"value": "vibration", "on_above": 4.5}),
    ("change", {"value": "temp"}),
    ("change", {"value": "vibration", "method": "ewma"}),
    ("all", {"rules": ["a", "b"]}),
    ("any", {"rules": ["a", "b"], "for_s": 0.5}),
    ("within", {"rules": ["a", "b"], "within_s": 0.2}),
    ("sequence", {"first": "a", "then": "b", "within_s": 2.0}),
]


def rules():
    made = []
    for n, (kind, table) in enumerate(TABLES):
        cls = registry.find("rules", kind)
        made.append(cls(msgspec.convert(table, cls.Options), RulePlace("p", f"{kind}{n}")))
    return made


def at(n: int) -> Instant:
    return Instant("boot", n * 100_000_000, n * 100_000_000)


def looks(n: int):
    """Three parts on their way, ten pictures a second; a new one each second."""
    return [Inference(("belt", i), at(i), tuple(_parts(i))) for i in range(n)]


def _parts(i: int):
    for part in range(max(0, i // 10 - 2), i // 10 + 1):
        x = (i - part * 10) / 30 * 0.9
        yield Detection("scratched" if part % 5 == 0 else "good", 0.9, Box(x, 0.4, x + 0.1, 0.6), part + 1)


def blocks(n: int):
    chance = np.random.default_rng(1)
    values = np.column_stack([chance.normal(60, 5, n), chance.normal(3, 0.5, n)])
    return [Readings(("motor", i), at(i), ("temp", "vibration"), values[i : i + 1]) for i in range(n)]


def told(n: int):
    states = [("a", "on"), ("b", "on"), ("a", "off"), ("b", "off")] * (n // 4)
    return [Decision("q", rule, "belt", state, at(i), ("belt", i)) for i, (rule, state) in enumerate(states)]


def through(seen):
    def run():
        watching = rules()
        start = time.process_time()
        for one in seen:
            for rule in watching:
                tuple(rule.observe(one))
        return {"us": (time.process_time() - start) / len(seen) * 1e6}

    return run


def packing(n: int):
    one = told(4)[0]

    def run():
        start = time.process_time()
        for i in range(n):
            msgspec.json.encode({"id": decision_id("dev", one, i)} | msgspec.to_builtins(one))
        return {"us": (time.process_time() - start) / n * 1e6}

    return run


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=20)
    pairs, met = parser.parse_args().pairs, True
    print(f"{len(TABLES)} rules")
    for name, seen in (("looks", looks(2000)), ("readings", blocks(2000)), ("decisions", told(2000))):
        measured = alternate(through(seen), packing(2000), pairs)
        cost = measured.first("us")
        print(
            f"  {name:10} {cost} us an observation; bound {BOUND_US:.0f} us: {cost.verdict(at_most=BOUND_US)}"
        )
        print(f"  {'':10} {measured.ratio('us')} of packing one decision")
        met &= cost.meets(at_most=BOUND_US)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
