"""The scene of the golden replay of rules, and the rules that watch it: a script, not a simulation.

A belt passes good and scratched parts, with flicker, a camera that freezes, and a restart of the device; a motor warms
up and cools down, with a gap and a sensor that fails.
"""

import random
from collections import Counter

import msgspec
import numpy as np

from edgeinfer.events import (
    Back,
    Detection,
    Inference,
    Instant,
    Lost,
    Readings,
    Tick,
    Trigger,
    decision_id,
)
from edgeinfer.geometry import Box
from edgeinfer.ports import RulePlace
from edgeinfer.rules.count import Count
from edgeinfer.rules.presence import Presence
from edgeinfer.rules.threshold import Threshold

DEVICE = "press-07"
GATE = ((0.3, 0.0), (0.7, 0.0), (0.7, 1.0), (0.3, 1.0))
UNIX_NS = 1_790_000_000_000_000_000


def rules():
    """The rules as a config would make them."""
    return [
        Presence(Presence.Options(label="scratched", score=0.6, for_s=0.3, clear_s=1.0), place("scratched")),
        Presence(Presence.Options(label=("good", "scratched"), zone=GATE), place("gate")),
        Count(Count.Options(labels=("good", "scratched"), for_s=0.2), place("parts")),
        Threshold(
            Threshold.Options(value="temp", on_above=80.0, off_below=75.0, for_s=0.5, clear_s=1.0),
            place("hot"),
        ),
        Threshold(Threshold.Options(value="temp", on_below=20.0, off_above=22.0), place("cold")),
    ]


def place(rule):
    return RulePlace("inspection", rule)


def decided(observations):
    """One line of JSON for each decision, with its id, as the golden file has them."""
    watching = rules()
    for seen in observations:
        made = Counter()
        for rule in watching:
            for one in rule.observe(seen):
                same = (one.rule, one.subject, one.state, one.at)
                body = {"id": decision_id(DEVICE, one, made[same])} | msgspec.to_builtins(one)
                made[same] += 1
                yield msgspec.json.encode(body) + b"\n"


class Script:
    """Seconds to events of one source; the wall clock is set right by 3 s in the middle."""

    def __init__(self, source):
        self.source, self.n = source, 0

    def stamp(self, s):
        self.n += 1
        boot, since = ("b007b007", 0.0) if s < 40 else ("b007b008", 40.0)  # the device restarts at 40 s
        jump_ns = 3_000_000_000 if s >= 20 else 0
        mono_ns = round((s - since) * 1e9) + 5_000_000_000
        return (self.source, self.n - 1), Instant(boot, mono_ns, UNIX_NS + round(s * 1e9) + jump_ns, s >= 20)


def observations():
    """All that is seen, in order of time."""
    events = [*belt(), *motor()]
    return [seen for _, seen in sorted(events, key=lambda event: event[0])]


def belt():
    chance, script = random.Random(4711), Script("belt")
    for step in range(300):
        s = step * 0.2
        if 25 <= s < 30:  # the camera freezes
            if s == 25:
                yield s, Lost(*script.stamp(s), "no new picture for 4.0 s")
            if step % 5 == 0:
                yield s, Tick(*script.stamp(s))
            continue
        if s == 30:
            yield s, Back(*script.stamp(s))
        if step % 100 == 50:
            yield s, Trigger(*script.stamp(s), {"part": str(4000 + step)})
        yield s, Inference(*script.stamp(s), tuple(parts(s, chance)), "parts@sha256:0123456789ab")


def parts(s, chance):
    """A part each 2 s but for each fourth, 3 s on its way; each third is scratched. One look in twelve misses it."""
    for n in (n for n in range(31) if n % 4):
        way = (s - 2 * n) / 3
        if 0 <= way <= 1 and chance.random() > 1 / 12:
            x, score = round(way * 0.8, 4), round(0.55 + 0.4 * chance.random(), 4)
            yield Detection("scratched" if n % 3 == 2 else "good", score, Box(x, 0.4, round(x + 0.2, 4), 0.6))


def motor():
    script = Script("motor")
    for block in range(60):
        s = block + 0.05
        base = 15 + 2.5 * min(block, 60 - block)
        rows = [[base + 0.7 * (row * 7 % 5 - 2), float(block)] for row in range(10)]
        if block == 45:
            rows[4][0] = float("nan")
        values = np.array(rows)
        yield s, Readings(*script.stamp(s), ("temp", "rpm"), values, 100_000_000, block == 29)
