"""What a subscriber got, judged: nothing missing, repeats only with the same id, first arrivals in order."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tests.chaos.device import ROOT
from tests.fixtures.brokers import Seen


class Arrivals:
    def __init__(self, messages: Iterable[Seen]) -> None:
        bodies = [json.loads(m.payload) for m in messages if m.topic.startswith(f"{ROOT}/decision/")]
        self.all = [(body["seq"], body["id"]) for body in bodies]
        self.first = list(dict.fromkeys(self.all))

    @property
    def repeats(self) -> int:
        return len(self.all) - len(self.first)

    def missing(self, committed: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
        arrived = set(self.first)
        return [one for one in committed if one not in arrived]

    def assert_in_order_and_repeated_as_they_were(self) -> None:
        seqs = [seq for seq, _ in self.first]
        assert seqs == sorted(seqs), "first arrivals are out of order"
        assert len(set(seqs)) == len(seqs), "one seq came with two ids"
