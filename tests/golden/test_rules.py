"""The golden replay of the rules: recorded observations in, decisions out, byte for byte."""

from collections import Counter

import msgspec

from edgeinfer.recording import read
from tests.golden.make import RULES
from tests.golden.scene import decided


def test_the_recorded_observations_give_the_golden_decisions_byte_for_byte():
    made = b"".join(decided(read(RULES / "recording")))
    assert made.splitlines() == (RULES / "decisions.jsonl").read_bytes().splitlines()
    assert made == (RULES / "decisions.jsonl").read_bytes()


def test_a_second_run_gives_the_same():
    once, again = (b"".join(decided(read(RULES / "recording"))) for _ in range(2))
    assert once == again


def test_the_golden_decisions_are_worth_keeping():
    """They hold every state of every rule, and no id twice: else the comparison would say little."""
    lines = [msgspec.json.decode(line) for line in (RULES / "decisions.jsonl").read_bytes().splitlines()]
    seen = Counter((line["rule"], line["state"]) for line in lines)
    for rule in ("scratched", "gate", "hot", "cold"):
        assert {state for r, state in seen if r == rule} >= {"on", "off"}
    assert ("parts", 0) in seen
    assert ("parts", 2) in seen
    assert {rule for rule, state in seen if state == "unknown"} == {
        "scratched",
        "gate",
        "parts",
        "hot",
        "cold",
    }
    assert len({line["id"] for line in lines}) == len(lines)
