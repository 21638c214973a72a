"""The structured text of docs/snippets, parsed by another's parser and run scan by scan."""

from __future__ import annotations

from pathlib import Path

from tests.fixtures.structured_text import FunctionBlock

SNIPPET = Path(__file__).parents[2] / "docs/snippets/plc.st"


def state_block(**inputs):
    """After its first heartbeat at 0 s; `inputs` are those of that scan."""
    block = FunctionBlock(SNIPPET, "FB_EdgeinferState")
    block.scan(0, **({"Online": True, "Heartbeat": 7, "State": 1} | inputs))
    return block


def decisions(*arrived):
    """What is taken of `(seq, boot)`, and how many are missing; with an empty scan after each."""
    block = FunctionBlock(SNIPPET, "FB_EdgeinferDecision")
    taken = []
    for n, (seq, boot) in enumerate(arrived):
        if block.scan(n, Arrived=True, Seq=seq, Boot=boot)["Take"]:
            taken.append(seq)
        assert not block.scan(n + 0.5, Arrived=False)["Take"]
    return taken, block.variables["Missing"]


def test_a_state_is_active_while_status_is_online_and_the_heartbeat_moves():
    block = state_block()
    assert block.variables["Active"]
    for n in range(20):
        assert block.scan(5 * n, Heartbeat=8 + n)["Active"]


def test_a_heartbeat_that_stands_still_makes_the_state_invalid_after_15_s():
    block = state_block()
    assert block.scan(1)["Valid"]
    assert block.scan(15.9)["Valid"]
    after = block.scan(16.1)
    assert (after["Valid"], after["Active"]) == (False, False)
    assert block.scan(17, Heartbeat=8)["Active"]


def test_offline_makes_the_state_invalid_at_once_and_until_the_next_heartbeat():
    block = state_block()
    assert not block.scan(1, Online=False)["Valid"]
    assert not block.scan(2, Online=True)["Valid"]
    assert block.scan(3, Heartbeat=8)["Valid"]


def test_a_retained_state_alone_is_not_valid():
    block = FunctionBlock(SNIPPET, "FB_EdgeinferState")
    assert not block.scan(0, Online=True, State=1)["Valid"]


def test_unknown_is_not_valid_and_off_is_not_active():
    assert not state_block(State=-1).variables["Valid"]
    off = state_block(State=0).variables
    assert (off["Valid"], off["Active"]) == (True, False)


def test_a_decision_is_taken_once_and_holes_are_counted():
    assert decisions((1, "a"), (2, "a"), (2, "a"), (1, "a"), (5, "a"), (4, "a"), (6, "b")) == (
        [1, 2, 5, 6],
        2,
    )


def test_the_first_decision_may_have_any_number_and_a_new_outbox_counts_anew():
    assert decisions((40, "a"), (41, "a"), (1, "b"), (2, "b")) == ([40, 41, 1, 2], 0)
