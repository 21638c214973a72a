import pytest

from edgeinfer.commands.ledger import MOST, Ledger
from tests.fixtures.disks import fill_up
from tests.runtime.decisions import Board

DONE = {"ok": True, "outcome": "done"}


def test_an_outcome_is_remembered_over_a_restart(tmp_path):
    ledger = Ledger(tmp_path, Board())
    ledger.begin("sink.plant/a", "0123", 5)
    ledger.end("sink.plant/a", DONE)
    again = Ledger(tmp_path, Board()).find("sink.plant/a")
    assert (again.answer, again.asked) == (DONE, "0123")


def test_what_was_begun_and_has_no_end_is_interrupted(tmp_path):
    Ledger(tmp_path, Board()).begin("sink.plant/a", "0123", 5)
    assert Ledger(tmp_path, Board()).find("sink.plant/a").answer["reason"] == "interrupted"


def test_a_line_that_a_power_cut_tore_swallows_none_behind_it(tmp_path):
    Ledger(tmp_path, Board()).begin("a", "", 5)
    file = tmp_path / "commands.jsonl"
    file.write_bytes(file.read_bytes() + b'{"key":"b","as')
    Ledger(tmp_path, Board()).begin("c", "", 5)
    found = Ledger(tmp_path, Board())
    assert found.find("a")
    assert found.find("b") is None
    assert found.find("c")


def test_it_forgets_what_has_expired_and_only_that(tmp_path):
    ledger = Ledger(tmp_path, Board())
    for n in range(MOST):
        ledger.begin(f"{n}", "", 100 if n < MOST // 2 else 1_000)
    assert ledger.full(50)
    assert not ledger.full(500)
    assert ledger.find("0") is None
    assert ledger.find(f"{MOST - 1}")
    assert ledger.full(500) is False


def test_the_file_does_not_grow_for_ever(tmp_path):
    ledger = Ledger(tmp_path, Board())
    for n in range(3_000):
        ledger.full(n)
        ledger.begin(f"{n}", "", n)
        ledger.end(f"{n}", DONE)
    assert (tmp_path / "commands.jsonl").read_bytes().count(b"\n") < 2_000
    assert Ledger(tmp_path, Board()).find("2999").answer == DONE


def test_on_a_full_disk_it_remembers_in_memory_and_says_so(small_disk):
    disk, board = small_disk(64), Board()
    ledger = Ledger(disk, board)
    ballast = fill_up(disk)
    ledger.begin("a", "", 5)
    assert "done again" in board.now["ledger"]
    assert ledger.find("a")
    ballast.unlink()
    ledger.begin("b", "", 5)
    assert board.now == {}


@pytest.mark.parametrize("content", [b"", b"\n\n", b"not json\n", b"\xff"])
def test_a_file_with_anything_in_it_is_no_reason_not_to_start(tmp_path, content):
    (tmp_path / "commands.jsonl").write_bytes(content)
    assert Ledger(tmp_path, Board()).find("a") is None
