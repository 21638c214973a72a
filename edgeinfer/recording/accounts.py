"""How a decision came about, as JSON: beside kept pictures, and what a daemon answers to `explain`; draws nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from edgeinfer.events import Entry, Finding, Inference, Key
from edgeinfer.recording.lines import finding_in, finding_of
from edgeinfer.taps import Account
from edgeinfer.wire.bodies import DecisionBody
from edgeinfer.wire.json import envelope, finite


class Why(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that is known of one decision.

    `source` and `n` name the sample that caused it, `states` are [before, after] of each rule of the device,
    `findings` as in a recording's line, `timings_ms` by stage, `rule` what its table says with the defaults filled
    in. `missing` says what is not known any more, and why.
    """

    decision: DecisionBody
    source: str
    n: int
    states: dict[str, list[Any]] = {}
    findings: list[dict[str, Any]] | None = None
    timings_ms: dict[str, float] = {}
    rule: dict[str, Any] = {}
    missing: list[str] = []

    @property
    def key(self) -> Key:
        return self.source, self.n

    def found(self) -> list[Finding]:
        """The findings, as they were.

        Raises:
            KeyError, TypeError, ValueError: they are none.
        """
        return [finding_in(dict(raw)) for raw in self.findings or []]


def why(entry: Entry, account: Account | None, rule: Mapping[str, Any], missing: list[str]) -> Why:
    """Of `entry`; without an `account` there is no more than the decision itself."""
    decision = entry.decision
    source, n = decision.key
    if account is None:
        return Why(envelope(entry), source, n, rule=dict(rule), missing=missing)
    cause = next((s for s in account.seen if isinstance(s, Inference) and s.key == decision.key), None)
    after = {e.decision.rule: e.decision.state for e in account.entries}
    states = {name: [finite(was), finite(after.get(name, was))] for name, was in account.before.items()}
    if cause is None:
        return Why(envelope(entry), source, n, states, None, {}, dict(rule), missing)
    timings = {stage: round(ns / 1e6, 3) for stage, ns in cause.timings.items()}
    findings = [finding_of(finding) for finding in cause.findings]
    return Why(envelope(entry), source, n, states, findings, timings, dict(rule), missing)
