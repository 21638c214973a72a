"""What the tests of triggers share: a judge with real rules, and samples at seconds."""

from __future__ import annotations

import numpy as np

from edgeinfer.events import Back, Detection, Frame, Inference, Lost, Readings, Tick, Trigger
from edgeinfer.geometry import Box
from edgeinfer.meters import Meters
from edgeinfer.ports import RulePlace
from edgeinfer.rules.count import Count
from edgeinfer.rules.presence import Presence
from edgeinfer.runtime.edges import Edge
from edgeinfer.runtime.judging import Brief
from edgeinfer.runtime.triggers import Asking, TriggeredJudge
from tests.samples import at

NOW_S = 1000.0


def rules(recipe=""):
    """`scratched` wants a score of 0.5; recipe 4711 is content with 0.2."""
    score = 0.2 if recipe == "4711" else 0.5
    return {
        "scratched": Presence(
            Presence.Options(label="scratched", score=score), RulePlace("cell", "scratched")
        ),
        "parts": Count(Count.Options(score=score), RulePlace("cell", "parts")),
    }


def trigger(s, n=0, **context):
    return Trigger(("line", n), at(s), context)


def picture(s, source="cam"):
    return Frame((source, round(s * 1000)), at(s), np.zeros((4, 4, 3), np.uint8))


def tick(s, source="cam"):
    return Tick((source, 0), at(s))


def lost(s, source="cam", reason="unplugged"):
    return Lost((source, 0), at(s), reason)


def back(s, source="cam"):
    return Back((source, 0), at(s))


def block(s, *values, channel="beam", period_s=0.0, gap=False, source="line"):
    rows = np.array(values, float).reshape(-1, 1)
    return Readings((source, 0), at(s), (channel,), rows, round(period_s * 1e9), gap)


def rows(s, *pairs):
    """Beam and part, row by row."""
    return Readings(("line", 0), at(s), ("beam", "part"), np.array(pairs, float), 10_000_000)


def scratch(score):
    return Detection("scratched", score, Box(0.4, 0.4, 0.6, 0.6))


class Desk:
    """A triggered judge with a model that finds in the picture at `s` what `finds[s]` holds."""

    def __init__(self, edge=Edge("line"), deadline_s=0.5, finds=None, context=(), recipes=None):
        brief = Brief("cell", rules, ("cam", "line"), context, recipes)
        self.meters = Meters()
        self.judge = TriggeredJudge(brief, Asking(edge, round(deadline_s * 1e9)), self.meters)
        self.judge.begin()
        self.finds = finds or {}
        self.looked = []
        self.unsure = False

    def see(self, *items, now_s=None):
        """The decisions, in order."""
        told = []
        for item in items:
            now_ns = None if now_s is None else round(now_s * 1e9)
            look, decisions, _ = self.judge.admit(item, now_ns)
            told += decisions
            if look is not None:
                self.looked.append(look.at.mono_ns / 1e9)
                found = self.finds.get(look.at.mono_ns / 1e9, ())
                told += self.judge.of(
                    [Inference(look.key, look.at, tuple(found))], now_ns, unsure=self.unsure
                )
        return told


def said(decisions, rule="scratched"):
    """(seconds, state) of each decision of the rule."""
    return [(d.at.mono_ns / 1e9, d.state) for d in decisions if d.rule == rule]


def reasons(decisions, rule="scratched"):
    return [d.details.get("reason") for d in decisions if d.rule == rule]
