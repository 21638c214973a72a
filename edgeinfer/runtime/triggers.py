"""One question, one answer: after each trigger the newest picture is judged, within a time, exactly once.

| state   | seen                                     | becomes                                                      |
|---------|------------------------------------------|--------------------------------------------------------------|
| idle    | a picture                                | idle; it is kept, for it may be newer than the next trigger  |
| idle    | a trigger                                | waiting; or answered at once, by a kept picture that is newer |
| waiting | a picture taken after the trigger        | judged, and idle; waiting when the model wants another look  |
| waiting | another trigger                          | answered `unknown` (overrun), and waiting for the new one    |
| waiting | a source is lost, the input ends         | answered `unknown`, and idle                                 |
| waiting | `deadline_ms` after the trigger are over | answered `unknown`, and idle                                 |

A trigger while a source is lost is answered `unknown` at once. An answer is a decision of each rule, told whether its
state has changed or not: at the moment of the trigger, about the part (or else the trigger's source), by the context
and the recipe of that moment. Rules judge one
look: each answer is made by fresh ones. When a source is lost while nobody asks, each rule tells `unknown`, once:
the answer to the last question says nothing about the next.

Time is the monotonic clock of the samples; `overdue` is called by who has a clock, and says the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from edgeinfer.events import (
    Decision,
    Frame,
    Inference,
    Instant,
    Key,
    Lost,
    Observation,
    State,
    Tick,
    Trigger,
)
from edgeinfer.meters import Meters
from edgeinfer.runtime.context import Known
from edgeinfer.runtime.edges import Edge, Edges
from edgeinfer.runtime.judging import NONE, Admitted, Brief, Judge
from edgeinfer.runtime.mailbox import Item

PART = "part"
"""The name in `context` whose value is what an answer is about."""


@dataclass(frozen=True)
class Asking:
    """Who asks, and how long an answer may take after the trigger."""

    edge: Edge
    deadline_ns: int


class Said(NamedTuple):
    """What one rule says, and of which picture (None: of none)."""

    state: State
    details: Mapping[str, Any]
    look: Inference | None = None


_SILENT = Said("unknown", {"reason": "the rule says nothing of this picture"})


class TriggeredJudge(Judge):
    """A judge that speaks when it is asked; the table above."""

    def __init__(self, brief: Brief, asking: Asking, meters: Meters) -> None:
        super().__init__(brief)
        self._asking, self._meters = asking, meters
        self._edges = Edges(asking.edge)
        self._asked: Trigger | None = None
        self._kept: Frame | None = None
        self._known: Known = {}  # when it was asked
        self._looks = 0
        self._lost: dict[str, str] = {}
        self._told: dict[str, State] = {}

    def admit(self, item: Item, now_ns: int | None = None) -> Admitted:
        told = list(self._too_late(item.at, now_ns))
        if isinstance(item, Lost):
            return Admitted(None, [*told, *self.lose(item)])
        if isinstance(item, Frame):
            self._kept = item
        if not isinstance(item, Tick):  # ticks come from a lost source, too
            self._lost.pop(item.key[0], None)
        triggers = list(self._edges.of(item))
        for trigger in triggers:
            told += self._ask(trigger)
        self.context.learn(item)  # for the next question: this one was asked with what was known then
        if triggers and self._lost:
            told += self._unanswered("; ".join(self._lost.values()))
        told += self._too_late(item.at, now_ns)
        return Admitted(self._answering(), told, anew=bool(triggers))

    def of(
        self, seen: Iterable[Observation], now_ns: int | None = None, *, unsure: bool = False
    ) -> Sequence[Decision]:
        """The answer, when what was seen is one."""
        looks = [one for one in seen if isinstance(one, Inference)]
        due_ns = self.due_ns()
        if due_ns is None or not looks:
            return NONE
        self._looks += 1
        if now_ns is not None and now_ns > due_ns:
            late_ms = (now_ns - due_ns) / 1e6
            return self._unanswered(f"the model was done {late_ms:.0f} ms after the deadline")
        if self.refusal:
            return self._unanswered(self.refusal)
        return NONE if unsure else self._answer(self._by_rules(looks[-1]))

    def lose(self, lost: Lost) -> Sequence[Decision]:
        """Key numbers below 0 are the pipeline's own: it stops, or its model failed."""
        source, n = lost.key
        reason, known = lost.reason, source in self._lost
        if n >= 0:
            reason = self._lost[source] = f"{source} is lost: {lost.reason}"
            list(self._edges.of(lost))
        self._kept = None
        return self._unanswered(reason) if self._asked else NONE if known else self._unasked(lost, reason)

    def end(self) -> Sequence[Decision]:
        return self._unanswered("the input ended before a picture came")

    def due_ns(self) -> int | None:
        return None if self._asked is None else self._asked.at.mono_ns + self._asking.deadline_ns

    def overdue(self, now_ns: int) -> Sequence[Decision]:
        due_ns = self.due_ns()
        if due_ns is None or now_ns <= due_ns:
            return NONE
        within_ms = self._asking.deadline_ns / 1e6
        if self._looks:
            return self._unanswered(f"still unsure after {self._looks} pictures in {within_ms:g} ms")
        return self._unanswered(f"no picture within {within_ms:g} ms")

    def _ask(self, trigger: Trigger) -> Sequence[Decision]:
        """With the context of this moment, and its recipe."""
        self._meters.count("triggers")
        told: Sequence[Decision] = NONE
        if self._asked is not None:
            after_ms = (trigger.at.mono_ns - self._asked.at.mono_ns) / 1e6
            told = self._unanswered(f"overrun by the next trigger, {after_ms:.0f} ms after it")
        self.learn(trigger)
        self._asked, self._looks, self._known = trigger, 0, self.context.now()
        return told

    def _answering(self) -> Frame | None:
        """The kept picture, when it is newer than the question; it is judged once."""
        asked, kept = self._asked, self._kept
        if asked is None or kept is None or kept.at.boot != asked.at.boot:
            return None
        if kept.at.mono_ns <= asked.at.mono_ns:
            return None
        self._kept = None
        return kept

    def _too_late(self, at: Instant, now_ns: int | None) -> Sequence[Decision]:
        """What comes now was taken after the deadline: then that is over, whatever a clock says."""
        if self._asked is None:
            return NONE
        if at.boot != self._asked.at.boot:
            return self._unanswered("the device started again before a picture came")
        return self.overdue(max(at.mono_ns, now_ns or at.mono_ns))

    # --- answers ---------------------------------------------------------------------------------------------

    def _by_rules(self, look: Inference) -> Mapping[str, Said]:
        """By fresh rules: what they saw at the last question has nothing to do with this one."""
        said: dict[str, Said] = {}
        for name, rule in self.brief.make(self.recipe).items():
            found = list(rule.observe(look))
            said[name] = Said(found[-1].state, found[-1].details, look) if found else _SILENT
        return said

    def _unanswered(self, reason: str) -> Sequence[Decision]:
        if self._asked is None:
            return NONE
        self._meters.count("unanswered")
        return self._answer(dict.fromkeys(self.brief.make(self.recipe), Said("unknown", {"reason": reason})))

    def _answer(self, said: Mapping[str, Said]) -> Sequence[Decision]:
        asked, self._asked = self._asked, None
        if asked is None:
            return NONE
        self._meters.count("answers")
        subject = self._known.get(PART) or asked.key[0]
        return self._tell(said, asked.at, subject, asked)

    def _unasked(self, lost: Lost, reason: str) -> Sequence[Decision]:
        """The last answer says nothing about the next part."""
        known = [name for name, state in self._told.items() if state != "unknown"]
        said = dict.fromkeys(known, Said("unknown", {"reason": reason}))
        return self._tell(said, lost.at, lost.key[0], None)

    def _tell(
        self, said: Mapping[str, Said], at: Instant, subject: str, asked: Trigger | None
    ) -> Sequence[Decision]:
        self._told |= {name: one.state for name, one in said.items()}
        pipeline = self.brief.pipeline
        return self.context.on(
            [
                Decision(pipeline, name, subject, one.state, at, self._key(one), _details(one, asked))
                for name, one in said.items()
            ],
            self._known if asked else None,
        )

    def _key(self, said: Said) -> Key:
        """Of the picture, or of a picture that never came."""
        if said.look is not None:
            return said.look.key
        cameras = [source for source in self.brief.sources if source != self._asking.edge.source]
        return (cameras[0] if cameras else self._asking.edge.source, -1)


def _details(said: Said, asked: Trigger | None) -> Mapping[str, Any]:
    """With who asked, and how long after that the picture was taken."""
    if asked is None:
        return said.details
    if said.look is None:
        return {**said.details, "trigger": asked.key[0]}
    after_ms = round((said.look.at.mono_ns - asked.at.mono_ns) / 1e6, 3)
    return {**said.details, "trigger": asked.key[0], "picture_after_ms": after_ms}
