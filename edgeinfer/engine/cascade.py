"""Several models as one: who is asked after the first, about which findings; knows no rules, and opens nothing.

The first model is asked about each picture. Each stage means some findings of those before it, by label and score, and
asks somebody about them: a model about the picture (what it finds replaces what was found), a model about the crop of
each (`crops`), or the next pictures (`repeats`). A stage that means nothing of a picture costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter_ns
from typing import Protocol

from edgeinfer.events import Finding, Frame, Inference, Value
from edgeinfer.ports import Identifier, Predictor

Count = Callable[[str, int], None]
"""`count(name, by)`: into the meters of the pipeline."""


@dataclass(frozen=True)
class Meant:
    """Findings of `labels` (none: of any) with a score from `above` to `below`; a Value has no score, and is never meant."""

    labels: frozenset[str] = frozenset()
    above: float = 0.0
    below: float = 1.0

    def __contains__(self, finding: Finding) -> bool:
        return (
            not isinstance(finding, Value)
            and (not self.labels or finding.label in self.labels)
            and self.above <= finding.score <= self.below
        )

    def of(self, findings: Iterable[Finding]) -> list[Finding]:
        return [finding for finding in findings if finding in self]


class Clocked:
    """Where the time of one picture went: in all, and for each model by itself."""

    def __init__(self) -> None:
        self.spent: dict[str, int] = {}

    def ask(self, name: str, predictor: Predictor, frame: Frame) -> Sequence[Finding]:
        """What `predictor` finds; its stages are added up, and its own invoke stands under its name."""
        found = predictor.predict(frame)
        for stage, ns in found.timings.items():
            self.add(stage, ns)
        self.add(f"{name}.invoke", found.timings.get("invoke", 0))
        return found.findings

    def add(self, stage: str, ns: int) -> None:
        self.spent[stage] = self.spent.get(stage, 0) + ns


class Stage(Protocol):
    """One more look."""

    undecided: bool  # after `look`: another picture is wanted before it is sure

    def look(self, frame: Frame, findings: Sequence[Finding], clocked: Clocked) -> Sequence[Finding]:
        """The findings as they are after it."""
        ...

    def forget(self, source: str) -> None: ...


class WholePicture:
    """Asks a model about the picture when one of the findings is meant; else what was found stays."""

    undecided = False

    def __init__(self, name: str, meant: Meant, predictor: Predictor, count: Count) -> None:
        self._name, self._meant, self._predictor, self._count = name, meant, predictor, count

    def look(self, frame: Frame, findings: Sequence[Finding], clocked: Clocked) -> Sequence[Finding]:
        if not self._meant.of(findings):
            self._count(f"{self._name}.saved", 1)
            return findings
        self._count(f"{self._name}.asked", 1)
        return clocked.ask(self._name, self._predictor, frame)

    def forget(self, source: str) -> None:
        """Remembers nothing."""


@dataclass(frozen=True)
class Chain:
    """What a cascade is made of.

    `named` are its models by name, each once, the first of them is always asked. `stages` look in order; who is who
    (`identify`) is found out after the first `early` of them: identities are those of what the last model found in the
    whole picture, and crops and repeats need them.
    """

    named: Mapping[str, Predictor]
    stages: Sequence[Stage]
    early: int = 0
    identify: Identifier | None = None


class Cascade:
    """The port `Predictor` over a chain."""

    def __init__(self, chain: Chain, count: Count) -> None:
        self._chain, self._count = chain, count
        self._first = next(iter(chain.named))
        self.identity = "+".join(dict.fromkeys(p.identity for p in chain.named.values()))

    @property
    def runtime(self) -> str:
        return "; ".join(dict.fromkeys(p.runtime for p in self._chain.named.values()))

    @property
    def warning(self) -> str:
        said = {name: p.warning for name, p in self._chain.named.items() if p.warning}
        return "; ".join(f"{name}: {warning}" for name, warning in said.items())

    @property
    def undecided(self) -> bool:
        return any(stage.undecided for stage in self._chain.stages)

    def predict(self, frame: Frame) -> Inference:
        clocked, chain = Clocked(), self._chain
        self._count(f"{self._first}.asked", 1)
        findings = clocked.ask(self._first, chain.named[self._first], frame)
        for stage in chain.stages[: chain.early]:
            findings = stage.look(frame, findings, clocked)
        findings = self._named(frame, findings, clocked)
        for stage in chain.stages[chain.early :]:
            findings = stage.look(frame, findings, clocked)
        return Inference(frame.key, frame.at, tuple(findings), self.identity, clocked.spent)

    def _named(self, frame: Frame, findings: Sequence[Finding], clocked: Clocked) -> Sequence[Finding]:
        if self._chain.identify is None:
            return findings
        started = perf_counter_ns()
        seen = self._chain.identify.name(Inference(frame.key, frame.at, tuple(findings)))
        clocked.add("track", perf_counter_ns() - started)
        return seen.findings

    def forget(self, source: str) -> None:
        for predictor in self._chain.named.values():
            predictor.forget(source)
        for stage in self._chain.stages:
            stage.forget(source)
        if self._chain.identify is not None:
            self._chain.identify.forget(source)

    def close(self) -> None:
        for predictor in self._chain.named.values():
            predictor.close()


def relabelled(finding: Finding, label: str, score: float) -> Finding:
    """The same thing under another name; a Value keeps its number."""
    if isinstance(finding, Value):
        return replace(finding, label=label)
    return replace(finding, label=label, score=score)
