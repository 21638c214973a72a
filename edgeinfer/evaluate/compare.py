"""Two runs over the same data: how far they say the same, and what the second loses; runs no model."""

from __future__ import annotations

import msgspec

from edgeinfer.errors import InputError
from edgeinfer.evaluate.boxes import Matches, detections
from edgeinfer.evaluate.report import Figures, Report
from edgeinfer.evaluate.run import Run, own_score
from edgeinfer.events import Detection, Score, Value
from edgeinfer.store import Bundle


class Comparison(msgspec.Struct, frozen=True):
    """`b` against `a`. `agreement` needs no answers of the data; its first figure is the one that counts.

    `loss` is how much the headline figure falls from a to b (below 0: b is better), or 1 - agreement where the data
    has no answers; `measure` says which.
    """

    a: Report
    b: Report
    agreement: Figures
    measure: str
    loss: float


def compare(a: Report, b: Report, agreement: Figures) -> Comparison:
    """Sizes, latencies and figures stand in the reports."""
    if a.headline:
        return Comparison(a, b, agreement, a.headline, a.figures[a.headline] - b.figures[b.headline])
    name, value = next(iter(agreement.items()))
    return Comparison(a, b, agreement, f"1 - {name}", 1.0 - value)


def agreement(bundle: Bundle, a: Run, b: Run) -> Figures:
    """What `b` says against what `a` says, `bundle` being a's.

    Detections at IoU 0.5 and a's own threshold: `f1`, `recall` (of what a finds), `precision` (of what b finds).
    Classes: `same`, the share of equal answers. Anomalies: `same`, the share on one side of the threshold.

    Raises:
        InputError: the two cut the readings into different windows.
    """
    if [x.example.name for x in a.answers] != [y.example.name for y in b.answers]:
        raise InputError(
            f"the two models cut the readings into different windows ({len(a.answers)} and {len(b.answers)}): "
            f"they must have one length, hop and channels to be compared"
        )
    findings = [f for run in (a, b) for answer in run.answers for f in answer.findings]
    if any(isinstance(f, Detection) for f in findings):
        return _boxes(a, b, own_score(bundle))
    anomaly = bundle.manifest.decoder.kind == "anomaly"
    pairs = list(zip(a.answers, b.answers, strict=True))
    if anomaly:
        equal = [_unusual(x.findings) == _unusual(y.findings) for x, y in pairs]
    else:
        equal = [x.best == y.best for x, y in pairs]
    return {"same": sum(equal) / len(equal)}


def _boxes(a: Run, b: Run, score: float) -> Figures:
    matches = Matches()
    for x, y in zip(a.answers, b.answers, strict=True):
        matches.add([(f.label, f.box) for f in detections(x, score)], detections(y, score))
    recall, precision = matches.recall(), matches.precision()
    f1 = 2 * recall * precision / (recall + precision) if recall + precision else 0.0
    return {"f1": f1, "recall": recall, "precision": precision}


def _unusual(findings: tuple[object, ...]) -> bool:
    """A value is in units of the threshold, a score is 0.5 there: see the decoder `anomaly`."""
    return any(
        (isinstance(f, Value) and f.value > 1) or (isinstance(f, Score) and f.score > 0.5) for f in findings
    )
