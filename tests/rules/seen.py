"""What tests let a rule see: a scene at seconds, without the ceremony of keys and instants."""

import itertools

import numpy as np

from edgeinfer.events import (
    Back,
    Decision,
    Detection,
    Inference,
    Instant,
    Lost,
    Readings,
    Score,
    Tick,
    Value,
)
from edgeinfer.geometry import Box
from edgeinfer.ports import RulePlace

PLACE = RulePlace("inspection", "rule")
UNIX_NS = 1_790_000_000_000_000_000
MIDDLE = Box(0.4, 0.4, 0.6, 0.6)


class Scene:
    """Numbers what it makes; `source` and `boot` are those of everything in it."""

    def __init__(self, source="belt", boot="feedc0de"):
        self.source, self.boot, self._count = source, boot, itertools.count()

    def key(self):
        return (self.source, next(self._count))

    def at(self, s):
        ns = round(s * 1e9)
        return Instant(self.boot, ns, UNIX_NS + ns)

    def look(self, s, *findings):
        """An inference; a text stands for a detection of that label in the middle of the picture."""
        found = tuple(Detection(f, 0.9, MIDDLE) if isinstance(f, str) else f for f in findings)
        return Inference(self.key(), self.at(s), found)

    def scores(self, s, **scores):
        return Inference(self.key(), self.at(s), tuple(Score(k, v) for k, v in scores.items()))

    def value(self, s, label, value):
        return Inference(self.key(), self.at(s), (Value(label, value, "bar"),))

    def read(self, s, *values, channel="temp", period_s=0.0, gap=False):
        rows = np.array(values, dtype=float).reshape(-1, 1)
        return Readings(self.key(), self.at(s), (channel,), rows, round(period_s * 1e9), gap)

    def decide(self, s, rule, state):
        """What another rule told of this source."""
        return Decision("other", rule, self.source, state, self.at(s), self.key())

    def tick(self, s):
        return Tick(self.key(), self.at(s))

    def lost(self, s, reason="gone"):
        return Lost(self.key(), self.at(s), reason)

    def back(self, s):
        return Back(self.key(), self.at(s))


def at(x, y=0.5, track=1, label="part", score=0.9):
    """A thing of 0.1 around (x, y)."""
    return Detection(label, score, Box(x - 0.05, y - 0.05, x + 0.05, y + 0.05), track)


def told(rule, *seen):
    """(seconds, state) of each decision."""
    return [(d.at.mono_ns / 1e9, d.state) for o in seen for d in rule.observe(o)]


def decisions(rule, seen):
    return [d for o in seen for d in rule.observe(o)]
