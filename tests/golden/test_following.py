"""The golden replay of tracking, of the rules that follow identities, and of those that watch other rules."""

import msgspec

from edgeinfer.recording import read
from tests.golden.following import FIRST, SECOND, decided
from tests.golden.make import RULES

GOLDEN = (RULES / "following.jsonl").read_bytes().splitlines()


def told():
    return [msgspec.json.decode(line) for line in GOLDEN]


def states(rule):
    return [line["state"] for line in told() if line["rule"] == rule]


def test_the_recorded_observations_give_the_golden_decisions_byte_for_byte():
    assert b"".join(decided(read(RULES / "recording"))).splitlines() == GOLDEN


def test_each_rule_tells_each_kind_of_state_that_it_has():
    for rule, (kind, table) in (FIRST | SECOND).items():
        numbers = kind in ("line", "rate") or (kind == "zone" and table.get("tell") != "dwell")
        found = states(rule)
        assert "unknown" in found, rule
        assert len({s for s in found if s != "unknown"}) >= 2, rule
        if not numbers:
            assert {"on", "off"} <= set(found), rule


def test_no_id_comes_twice():
    ids = [line["id"] for line in told()]
    assert len(set(ids)) == len(ids)


def test_of_the_parts_that_were_seen_to_pass_each_was_counted_once():
    """One each 2 s, but for each fourth; it crosses 1.5 s later. From 25 to 30 s the camera is frozen."""
    crossings = [line for line in told() if line["rule"] == "crossed" and line["details"].get("direction")]
    assert all(line["details"]["direction"] == "forward" for line in crossings)
    assert [line["state"] for line in crossings] == list(range(1, len(crossings) + 1))
    missed = [
        n for n in range(30) if n % 4 and not any(0 < _s(line) - (2 * n + 1.1) < 1.2 for line in crossings)
    ]
    assert missed == [13, 14]  # at 27.5 and 29.5 s


def _s(line):
    """Seconds since the scene began; the wall clock was set right by 3 s at 20 s."""
    s = (line["at"]["unix_ns"] - 1_790_000_000_000_000_000) / 1e9
    return s - 3 if s >= 23 else s
