"""From observations to decisions. Protocols only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import tzinfo
from typing import Protocol

from edgeinfer.distributions import Reference
from edgeinfer.errors import InputError
from edgeinfer.events import Decision, Inference, Observation


def _no_zone(name: str) -> tzinfo:
    raise InputError(f"zone: there are no time zones here, found {name!r}")


@dataclass(frozen=True, slots=True)
class RulePlace:
    """Where a rule stands; `zone` gives a time zone by its name (InputError when there is none).

    `reference` is that of the bundle of the pipeline's model, where it has one.
    """

    pipeline: str
    rule: str
    zone: Callable[[str], tzinfo] = _no_zone
    reference: Reference | None = None


class Identifier(Protocol):
    """Who is who: stands between the model of a pipeline and its rules."""

    def name(self, seen: Inference) -> Inference:
        """`seen` with `track` filled in where a finding is one that is followed. A number is never used again."""
        ...

    def forget(self, source: str) -> None:
        """`source` was lost: whom it shows next is somebody new."""
        ...


class Rule(Protocol):
    """Pure but for its own memory; knows time only from what it sees.

    It may say, as attributes: `states` (a `StateKind`), `labels` that the model has to give, `inputs` (names of other
    rules whose decisions it needs), `tracks` (it needs identities), `one_look` (one inference is enough for it to decide:
    it can answer a trigger), `measures` (inferences are to carry what is measured of the sample itself).
    """

    def observe(self, seen: Observation) -> Iterable[Decision]: ...
