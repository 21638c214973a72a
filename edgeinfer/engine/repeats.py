"""A stage of a cascade that asks the next pictures: what one picture leaves in doubt, several say together; no model.

A question is about one track; about a label where things have no track; about all scores of a classifier together.

| state   | seen of it                                        | becomes                                             |
|---------|---------------------------------------------------|-----------------------------------------------------|
| -       | a finding that is meant                           | open, with one look; the finding is held back       |
| open    | a picture, whatever it shows of it                | one look more; what it shows is held back           |
| open    | `pictures` looks, or `within` is over             | settled; what it shows now gets the common verdict  |
| settled | a finding that is meant                           | the verdict of the last `pictures` looks            |
| settled | only what is not meant                            | forgotten; what it shows stays as it is             |
| settled | nothing of it, `pictures` times in a row          | forgotten                                           |

The verdict of the `mean` is the label with the highest mean score (0 where a look does not show it), with that score;
of the `vote` the label that was the best in most looks, with the share of those. Another boot forgets all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from edgeinfer.engine.cascade import Clocked, Count, Meant, relabelled
from edgeinfer.events import Finding, Frame, Instant, Score, Value

Combine = Literal["mean", "vote"]
Subject = tuple[str, int | str]
Look = Mapping[str, float]
"""Label → score, as one picture shows it."""


@dataclass(frozen=True)
class Again:
    """`pictures` looks, the first among them; `within_ns` after the first look, what there is has to do (0: no limit)."""

    pictures: int
    combine: Combine = "mean"
    within_ns: int = 0


@dataclass
class _Question:
    since: Instant
    looks: deque[Look] = field(default_factory=deque)
    settled: bool = False


class Repeats:
    """The table above, for each source by itself."""

    def __init__(self, name: str, meant: Meant, again: Again, count: Count) -> None:
        self._name, self._meant, self._again, self._count = name, meant, again, count
        self._questions: dict[str, dict[Subject, _Question]] = {}
        self.undecided = False

    def look(self, frame: Frame, findings: Sequence[Finding], clocked: Clocked) -> Sequence[Finding]:  # noqa: ARG002  a stage's form
        questions = self._of_source(frame)
        shown: dict[Subject, list[Finding]] = {}
        for finding in findings:
            shown.setdefault(_subject(finding), []).append(finding)
        for subject, found in shown.items():
            if subject not in questions and any(f in self._meant for f in found):
                questions[subject] = _Question(frame.at, deque(maxlen=self._again.pictures))
                self._count(f"{self._name}.asked", 1)
        told = {s: self._told(s, found, questions, frame.at) for s, found in shown.items()}
        for subject in [s for s in questions if s not in shown]:
            self._not_shown(subject, questions, frame.at)
        self.undecided = any(not q.settled for q in questions.values())
        return [finding for found in told.values() for finding in found]

    def forget(self, source: str) -> None:
        self._questions.pop(source, None)
        self.undecided = False

    def _of_source(self, frame: Frame) -> dict[Subject, _Question]:
        questions = self._questions.setdefault(frame.key[0], {})
        if any(q.since.boot != frame.at.boot for q in questions.values()):
            questions.clear()
        return questions

    def _told(
        self, subject: Subject, found: list[Finding], questions: dict[Subject, _Question], at: Instant
    ) -> list[Finding]:
        question = questions.get(subject)
        if question is None:
            return found
        if question.settled and not any(f in self._meant for f in found):
            del questions[subject]
            return found
        question.looks.append(_look(found))
        if not self._settle(question, at):
            return []
        return [_judged(found, question.looks, self._again.combine)]

    def _not_shown(self, subject: Subject, questions: dict[Subject, _Question], at: Instant) -> None:
        """A look, too: it says 0. There is nothing to tell when that settles it, nor to remember when all say that."""
        question = questions[subject]
        question.looks.append({})
        if not question.settled:
            if self._settle(question, at):
                del questions[subject]
        elif not any(question.looks):
            del questions[subject]

    def _settle(self, question: _Question, at: Instant) -> bool:
        """Whether there is a verdict now."""
        if question.settled:
            return True
        full = len(question.looks) >= self._again.pictures
        waited_ns = at.mono_ns - question.since.mono_ns
        over = bool(self._again.within_ns) and waited_ns >= self._again.within_ns
        question.settled = full or over
        if question.settled:
            self._count(f"{self._name}.settled" if full else f"{self._name}.late", 1)
        return question.settled


def _subject(finding: Finding) -> Subject:
    if finding.track is not None:
        return ("track", finding.track)
    if isinstance(finding, Score):
        return ("scores", "")
    return ("value" if isinstance(finding, Value) else "label", finding.label)


def _look(found: Sequence[Finding]) -> Look:
    look: dict[str, float] = {}
    for finding in found:
        if not isinstance(finding, Value):
            look[finding.label] = max(look.get(finding.label, 0.0), finding.score)
    return look


def _judged(found: Sequence[Finding], looks: Sequence[Look], combine: Combine) -> Finding:
    """The best of what is shown, under the name and with the score on which the looks agree."""
    shown = max(found, key=lambda f: getattr(f, "score", 0.0))
    label, score = verdict(looks, combine)
    return relabelled(shown, label, score)


def verdict(looks: Sequence[Look], combine: Combine) -> tuple[str, float]:
    """The label and its score; of equals the one that comes first in the alphabet. At least one look shows something."""
    labels = sorted({label for look in looks for label in look})
    means = {label: sum(look.get(label, 0.0) for look in looks) / len(looks) for label in labels}
    if combine == "mean":
        best = max(labels, key=lambda label: means[label])
        return best, means[best]
    votes = dict.fromkeys(labels, 0)
    for look in looks:
        if look:
            votes[max(sorted(look), key=lambda label: look[label])] += 1
    best = max(labels, key=lambda label: (votes[label], means[label]))
    return best, votes[best] / len(looks)
