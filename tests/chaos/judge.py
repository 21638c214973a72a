"""The verdict after a storm: nothing lost, nothing out of order, nothing invented, states as the rules left them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tests.chaos.ledger import Ledger
from tests.chaos.tap import Acknowledged
from tests.chaos.witness import COMMAND, Stream

SYNC_S = 1.0  # the default
_UPKEEP_S = 1.0  # what a busy machine adds to it: the keeper wakes, writes the cursors, waits for the medium
_FORGOTTEN_S = 10.0  # so long before its death a broker's memory may not be on its disk


@dataclass
class Verdict:
    """`wrong` is empty when the promise was kept; `figures` are for the report."""

    figures: dict[str, object] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def complain(self, text: str) -> None:
        self.wrong.append(text)

    def __str__(self) -> str:
        lines = [f"{name}: {value}" for name, value in self.figures.items()]
        lines += [f"WRONG: {text}" for text in self.wrong[:100]]
        return "\n".join([*lines, "the promise was broken" if self.wrong else "the promise was kept"])


class Judge:
    """`streams` by sink; `file` among them is what no broker can forget of."""

    def __init__(
        self,
        ledger: Ledger,
        streams: Mapping[str, Stream],
        acknowledged: Mapping[str, Acknowledged],
        calm: int,
    ) -> None:
        """`calm` is the last number before the ordered stop."""
        self._calm = calm
        self._ledger, self._streams, self._acknowledged = ledger, streams, acknowledged
        self.verdict = Verdict()

    def __call__(self) -> Verdict:
        for name, stream in self._streams.items():
            self._arrived(name, stream)
            self._in_order(name, stream)
            self._as_committed(name, stream)
            for text in stream.strange:
                self.verdict.complain(f"{name}: {text}")
        self._power()
        return self.verdict

    # --- nothing is lost

    def _arrived(self, name: str, stream: Stream) -> None:
        missing = [seq for seq in range(1, self._ledger.newest + 1) if seq not in stream.ids]
        told = [seq for seq in missing if stream.told(seq)]
        forgotten = [seq for seq in missing if seq not in told and self._forgotten(name, seq)]
        lost = sorted(set(missing) - set(told) - set(forgotten))
        if lost:
            self.verdict.complain(f"{name}: {len(lost)} lost: {_spans(lost)}")
        self.verdict.figures[name] = {
            "arrived": len(stream.ids), "lost": len(lost), "told by a gap": len(told),
            "acknowledged and forgotten by a killed broker": len(forgotten), "repeats": stream.repeats,
        }  # fmt: skip

    def _forgotten(self, name: str, seq: int) -> bool:
        """The broker had it, said so, and was killed soon after."""
        acknowledged = self._acknowledged.get(name)
        at_s = acknowledged.at_s.get(seq) if acknowledged else None
        kills = self._ledger.broker_kills_s
        return at_s is not None and any(0 <= kill_s - at_s < _FORGOTTEN_S for kill_s in kills)

    # --- nothing is out of order

    def _in_order(self, name: str, stream: Stream) -> None:
        """A step back is what a death explains at which numbers were taken back that had been sent already."""
        forgetful = [death.newest for death in self._ledger.deaths if death.may_forget]
        for highest, seq in stream.steps:
            if not any(newest < seq <= highest for newest in forgetful):
                self.verdict.complain(f"{name}: {seq} came after {highest}")
        if len(stream.steps) > len(forgetful):
            self.verdict.complain(
                f"{name}: {len(stream.steps)} steps back, {len(forgetful)} deaths that explain one"
            )

    # --- nothing is invented

    def _as_committed(self, name: str, stream: Stream) -> None:
        wrong = [
            seq for seq, identity in self._ledger.rows.items() if stream.ids.get(seq, identity) != identity
        ]
        if wrong:
            self.verdict.complain(
                f"{name}: other ids than those that were committed: {_spans(sorted(wrong))}"
            )
        other = self._streams["file"]
        differs = [seq for seq, identity in stream.ids.items() if other.ids.get(seq, identity) != identity]
        if differs:
            self.verdict.complain(f"{name}: other ids than in the file: {_spans(sorted(differs))}")
        beyond = [seq for seq in stream.ids if seq > self._ledger.newest]
        if beyond and not any(death.may_forget for death in self._ledger.deaths):
            self.verdict.complain(f"{name}: never committed: {_spans(sorted(beyond))}")

    def said(self, side: str, said: Sequence[int]) -> None:
        """Every decision of `side` is about a line that its sensor sent."""
        known = set(said)
        for name, stream in self._streams.items():
            odd = [
                seq for seq, n in stream.values.items()
                if n and stream.rules[seq].startswith(side) and (abs(n) not in known or (n > 0) != (n % 2 == 0))
            ]  # fmt: skip
            if odd:
                self.verdict.complain(f"{name}: about lines that no sensor sent: {_spans(sorted(odd))}")

    def commanded(self, asked: int) -> None:
        """No more commands than were asked for; a death may swallow one."""
        found = list(self._streams["file"].rules.values()).count(COMMAND)
        if found > asked:
            self.verdict.complain(f"file: {found} commands, {asked} were asked for")

    def undisturbed(self, rule: str, said: Sequence[int]) -> None:
        """While the daemon lives, a pipeline that nobody changed decides about every line, whatever is reloaded."""
        place = {n: at for at, n in enumerate(said)}
        deaths = [death.newest for death in self._ledger.deaths]
        odd = [
            following for (seq, n), (following, m) in pairwise(self._of(rule))
            if not any(seq <= newest < following for newest in deaths)
            and (not m or (n and place[abs(m)] != place[abs(n)] + 1))
        ]  # fmt: skip
        if odd:
            self.verdict.complain(f"{rule}: holes or unknown though nothing died, at {_spans(odd)}")

    def _of(self, rule: str) -> Iterator[tuple[int, int]]:
        stream = self._streams["file"]
        seqs = (seq for seq in sorted(stream.ids) if stream.rules[seq] == rule and seq <= self._calm)
        return ((seq, stream.values[seq]) for seq in seqs)

    # --- states, and the medium

    def states(self, name: str, found: Mapping[str, bytes], rules: Sequence[str]) -> None:
        """The retained states are the last decisions."""
        decided = sorted(self._streams["file"].rules.items())
        last = {rule: seq for seq, rule in decided if seq <= self._calm}
        for rule in rules:
            body = json.loads(found.get(rule) or b"{}")
            wanted = self._streams["file"].ids.get(last.get(rule, 0))
            if not wanted or body.get("id") != wanted:
                self.verdict.complain(
                    f"{name}: the state of {rule} is of decision {body.get('seq')}, not of {last.get(rule)}"
                )

    def _power(self) -> None:
        cuts = [cut for cut in self._ledger.cuts if not cut.in_trouble]
        worst_s = max((cut.oldest_s for cut in cuts), default=0.0)
        self.verdict.figures["power cuts"] = {
            "looked at": len(self._ledger.cuts), "most lost": max((cut.lost for cut in cuts), default=0),
            "oldest that was lost, s": round(worst_s, 3),
        }  # fmt: skip
        if worst_s > SYNC_S + _UPKEEP_S:
            self.verdict.complain(f"a power cut takes decisions that are {worst_s:.2f} s old")
        self.verdict.figures["deaths"] = dict(Counter(death.what for death in self._ledger.deaths))


def _spans(numbers: Sequence[int]) -> str:
    """`3-9, 12`; the first few."""
    spans: list[list[int]] = []
    for n in numbers:
        if spans and n == spans[-1][1] + 1:
            spans[-1][1] = n
        else:
            spans.append([n, n])
    text = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans[:8])
    return text + (f" and {len(spans) - 8} spans more" if len(spans) > 8 else "")
