import os
from pathlib import Path

import pytest

from edgeinfer.errors import StateError
from edgeinfer.events import Gap
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.testing.clock import FakeClock
from tests.fixtures.disks import fill_up
from tests.runtime.decisions import Board, decided


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def board() -> Board:
    return Board()


@pytest.fixture
def tiny_disk(small_disk) -> Path:
    return small_disk(512)


def opened(folder: Path, clock: FakeClock, board: Board, **options) -> Outbox:
    return Outbox(folder / "outbox.db", "press-07", clock, report=board, **options)


def append_until_full(outbox: Outbox, clock: FakeClock, board: Board) -> int:
    n = 0
    while "disk" not in board.now:
        outbox.append([decided(clock, n, text="x" * 500)])
        n += 1
    return n


def test_a_folder_that_cannot_be_made_is_a_state_error(tmp_path, clock, board):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="the folder must exist"):
        opened(tmp_path / "file" / "state", clock, board)


def test_what_is_no_database_is_moved_aside(tmp_path, clock, board):
    (tmp_path / "outbox.db").write_bytes(b"this is a letter, not a database. " * 100)
    outbox = opened(tmp_path, clock, board)
    assert outbox.append([decided(clock)])[0].seq == 1
    outbox.close()
    assert len(list(tmp_path.glob("outbox.corrupt-*"))) == 1
    assert "a new one was started" in board.now["outbox-damaged"]


def test_a_damaged_database_is_moved_aside(tmp_path, clock, board):
    outbox = opened(tmp_path, clock, board)
    for n in range(500):
        outbox.append([decided(clock, n, text="x" * 500)])
    outbox.close()
    body = bytearray((tmp_path / "outbox.db").read_bytes())
    body[20_000:60_000] = os.urandom(40_000)
    (tmp_path / "outbox.db").write_bytes(body)
    again = opened(tmp_path, clock, board)
    again.append([decided(clock)])
    again.close()
    assert "outbox-damaged" in board.now


def test_only_the_newest_damaged_file_is_kept(tmp_path, clock, board):
    for _ in range(3):
        for path in tmp_path.glob("outbox.db*"):
            path.unlink()
        (tmp_path / "outbox.db").write_bytes(b"no database " * 1000)
        opened(tmp_path, clock, board).close()
        clock.advance(10)
    assert len(list(tmp_path.glob("outbox.corrupt-*"))) == 1


def test_a_file_damaged_while_running_is_replaced_and_numbers_go_on(tmp_path, clock, board):
    outbox = opened(tmp_path, clock, board)
    outbox.retire(["plant"])
    outbox.append([decided(clock, n) for n in range(2000)])
    outbox._disk._file.checkpoint()
    with (tmp_path / "outbox.db").open("r+b") as file:
        file.write(b"\0" * 200_000)
    outbox._disk._file._db.execute("PRAGMA shrink_memory")
    for n in range(50):
        clock.advance(2)
        outbox.append([decided(clock, 2000 + n)])
        outbox.maintain()
        if "outbox-damaged" in board.now:
            break
    assert "outbox-damaged" in board.now
    entry = outbox.append([decided(clock, 9999)])[0]
    assert outbox.read(entry.seq - 1, 1) == [entry]
    assert entry.seq > 2000
    outbox.close()


@pytest.mark.slow
def test_a_full_disk_stops_nobody_and_is_told(tiny_disk, clock, board):
    outbox = opened(tiny_disk, clock, board)
    outbox.retire(["plant"])
    n = append_until_full(outbox, clock, board)
    assert "wait in memory" in board.now["disk"]
    assert [e.seq for e in outbox.read(0, n + 10)] == list(range(1, n + 1))
    outbox.close()


@pytest.mark.slow
def test_what_was_held_is_written_once_the_disk_takes_it_again(tiny_disk, clock, board):
    outbox = opened(tiny_disk, clock, board)
    outbox.retire(["plant"])
    fill_up(tiny_disk)
    n = append_until_full(outbox, clock, board)
    for m in range(20):
        outbox.append([decided(clock, n + m)])
    (tiny_disk / "ballast").unlink()
    outbox.maintain()
    assert "disk" not in board.now
    outbox.close()
    again = opened(tiny_disk, clock, board)
    assert [e.seq for e in again.read(0, 1000)] == list(range(1, n + 21))
    again.close()


@pytest.mark.slow
def test_more_than_memory_may_hold_is_dropped_and_a_gap_says_so(tiny_disk, clock, board):
    outbox = opened(tiny_disk, clock, board, max_held=50)
    outbox.retire(["plant"])
    fill_up(tiny_disk)
    n = append_until_full(outbox, clock, board)
    for m in range(200):
        outbox.append([decided(clock, n + m)])
    seen = outbox.read(0, 1000)
    gaps = [item for item in seen if isinstance(item, Gap)]
    assert len(gaps) == 1
    assert seen[-1].seq == n + 200
    (tiny_disk / "ballast").unlink()
    outbox.maintain()
    outbox.close()


@pytest.mark.slow
def test_an_outbox_opens_on_a_disk_that_is_full(tiny_disk, clock, board):
    first = opened(tiny_disk, clock, board)
    first.retire(["plant"])
    first.append([decided(clock, n) for n in range(10)])
    first.close()
    fill_up(tiny_disk)
    again = opened(tiny_disk, clock, board)
    assert [e.seq for e in again.read(0, 100)] == list(range(1, 11))
    assert again.append([decided(clock, 10)])[0].seq == 11
    again.close()


@pytest.mark.slow
def test_a_new_outbox_on_a_full_disk_works_from_memory(tiny_disk, clock, board):
    fill_up(tiny_disk)
    outbox = opened(tiny_disk, clock, board)
    outbox.retire(["plant"])
    outbox.append([decided(clock, n) for n in range(10)])
    assert len(outbox.read(0, 100)) == 10
    (tiny_disk / "ballast").unlink()
    outbox.maintain()
    outbox.close()
    again = opened(tiny_disk, clock, board)
    assert len(again.read(0, 100)) == 10
    again.close()
