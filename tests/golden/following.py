"""The golden scene once more, with identities: rules that follow parts, and rules that watch those rules."""

from collections import Counter

import msgspec

from edgeinfer import registry
from edgeinfer.events import Inference, Lost, Tick, decision_id
from edgeinfer.ports import RulePlace
from edgeinfer.tracking.identities import Identities
from edgeinfer.tracking.tracker import TrackOptions
from tests.golden.scene import DEVICE, GATE

FIRST = {
    "crossed": ("line", {"line": [[0.5, 0.0], [0.5, 1.0]]}),
    "inside": ("zone", {"zone": GATE}),
    "entered": ("zone", {"zone": GATE, "tell": "entered", "for_s": 0.2}),
    "left": ("zone", {"zone": GATE, "tell": "left"}),
    "stays": ("zone", {"zone": GATE, "tell": "dwell", "dwell_s": 1.2}),
    "rate": ("rate", {"window_s": 10.0, "every_s": 2.0}),
    "stands": ("absence", {"for_s": 2.5, "new": True}),
    "drift": ("change", {"value": "temp", "learn": 40}),
    "wander": ("change", {"value": "temp", "learn": 40, "method": "ewma"}),
    "hot": ("threshold", {"value": "temp", "on_above": 60.0, "off_below": 55.0}),
    "scratched": ("presence", {"label": "scratched", "score": 0.6, "clear_s": 0.5}),
}
SECOND = {
    "both": ("all", {"rules": ["hot", "scratched"]}),
    "either": ("any", {"rules": ["hot", "stands"], "for_s": 0.3, "clear_s": 0.3}),
    "cool": ("not", {"rule": "hot"}),
    "together": ("within", {"rules": ["stays", "scratched"], "within_s": 0.5}),
    "then": ("sequence", {"first": "entered", "then": "left", "within_s": 2.0}),
    "stuck": ("sequence", {"first": "entered", "then": "left", "within_s": 1.8, "tell": "missed"}),
    "pace": ("rate", {"rule": "crossed", "window_s": 10.0, "every_s": 5.0}),
}


def rules(tables, pipeline):
    """The rules as a config would make them."""
    made = []
    for name, (kind, table) in tables.items():
        cls = registry.find("rules", kind)
        made.append(cls(msgspec.convert(table, cls.Options), RulePlace(pipeline, name)))
    return made


def decided(observations):
    """One line of JSON for each decision, with its id, as the golden file has them."""
    identities, first, second = Identities(TrackOptions()), rules(FIRST, "inspection"), rules(SECOND, "cell")
    for seen in observations:
        made = Counter()
        for one in decisions(seen, identities, first, second):
            same = (one.pipeline, one.rule, one.subject, one.state, one.at)
            yield (
                msgspec.json.encode({"id": decision_id(DEVICE, one, made[same])} | msgspec.to_builtins(one))
                + b"\n"
            )
            made[same] += 1


def decisions(seen, identities, first, second):
    """A pipeline that looks, and one behind it, to which it passes the time on (docs/rules.md)."""
    if isinstance(seen, Lost):
        identities.forget(seen.key[0])
    named = identities.name(seen) if isinstance(seen, Inference) else seen
    told = [d for rule in first for d in rule.observe(named)]
    yield from told
    for one in [*told, Tick(seen.key, seen.at)]:
        for rule in second:
            yield from rule.observe(one)
