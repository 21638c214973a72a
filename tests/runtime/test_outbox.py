import threading

import pytest

from edgeinfer.errors import StateError
from edgeinfer.events import Gap
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.testing.clock import FakeClock
from tests.runtime.decisions import Board, decided, fill


def test_seq_is_dense_over_steps(open_outbox, clock):
    outbox = open_outbox()
    first = outbox.append([decided(clock, 0), decided(clock, 1)])
    second = outbox.append([decided(clock, 2)])
    assert [e.seq for e in first + second] == [1, 2, 3]


def test_an_empty_step_writes_nothing(open_outbox):
    assert open_outbox().append([]) == []


def test_equal_decisions_of_one_step_have_different_ids(open_outbox, clock):
    a, b = open_outbox().append([decided(clock), decided(clock)])
    assert a.id != b.id


def test_the_same_decision_has_the_same_id_in_another_outbox(tmp_path, clock, board):
    ids = []
    for name in ("a", "b"):
        outbox = Outbox(tmp_path / name / "outbox.db", "press-07", clock, report=board)
        ids.append(outbox.append([decided(clock)])[0].id)
        outbox.close()
    assert ids[0] == ids[1]


def test_age_is_from_capture_to_the_outbox(open_outbox, clock):
    decision = decided(clock)
    clock.advance(0.25)
    assert open_outbox().append([decision])[0].age_ms == 250.0


def test_age_is_unaffected_by_a_jump_of_the_wall_clock(open_outbox, clock):
    decision = decided(clock)
    clock.advance(0.1)
    clock.jump(-86400)
    assert open_outbox().append([decision])[0].age_ms == 100.0


def test_age_of_a_decision_from_another_boot_is_not_known(open_outbox, clock):
    decision = decided(FakeClock(boot="0therb00"))
    clock.advance(5)
    assert open_outbox().append([decision])[0].age_ms == 0.0


def test_details_that_json_cannot_hold_are_a_programming_error(open_outbox, clock):
    outbox = open_outbox()
    with pytest.raises(TypeError):
        outbox.append([decided(clock, what=object())])
    assert outbox.append([decided(clock)])[0].seq == 1


def test_a_courier_reads_behind_its_cursor(open_outbox, clock):
    outbox = open_outbox()
    fill(outbox, clock, 5)
    assert [e.seq for e in outbox.read(2, 2)] == [3, 4]


def test_reading_goes_on_from_disk_to_memory(open_outbox, clock):
    outbox = open_outbox()
    fill(outbox, clock, 1500)
    assert [e.seq for e in outbox.read(900, 400)] == list(range(901, 1301))


def test_entries_survive_a_restart(open_outbox, clock):
    outbox = open_outbox()
    outbox.cursor("plant")
    written = outbox.append([decided(clock, 7, score=0.5)], "parts@sha256:1", "sha256:2")
    outbox.close()
    assert open_outbox().read(0, 10) == written


def test_numbers_go_on_after_a_restart(open_outbox, clock):
    outbox = open_outbox()
    fill(outbox, clock, 3)
    outbox.close()
    assert open_outbox().append([decided(clock)])[0].seq == 4


def test_a_second_daemon_is_refused(open_outbox):
    open_outbox()
    with pytest.raises(StateError, match="another daemon"):
        open_outbox()


def test_numbers_are_never_given_twice_even_when_all_was_trimmed(open_outbox, clock):
    outbox = open_outbox()
    outbox.cursor("plant")
    fill(outbox, clock, 1200)
    outbox.advance("plant", 1200)
    outbox.maintain()
    outbox.close()
    assert open_outbox().append([decided(clock)])[0].seq == 1201


def test_what_is_appended_after_the_end_opens_no_file_again(open_outbox, clock, tmp_path):
    outbox = open_outbox()
    outbox.close()
    outbox.append([decided(clock)])
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["outbox.db"]


def test_too_many_entries_drop_the_oldest_and_a_gap_says_so(open_outbox, clock, board):
    outbox = open_outbox(max_entries=100)
    outbox.cursor("plant")
    fill(outbox, clock, 300)
    gap, entry = outbox.read(0, 1)
    assert (gap.first, gap.last) == (1, entry.seq - 1)
    assert 300 - entry.seq + 1 <= 164  # the bound, and what may come between two looks at it


def test_too_many_bytes_drop_the_oldest(open_outbox, clock, tmp_path):
    outbox = open_outbox(max_bytes=200_000)
    outbox.cursor("plant")
    for n in range(600):
        outbox.append([decided(clock, n, text="x" * 800)])
    assert isinstance(outbox.read(0, 1)[0], Gap)
    outbox.close()
    assert (tmp_path / "state" / "outbox.db").stat().st_size < 400_000


def test_dropping_is_told_and_taken_back_when_the_sink_caught_up(open_outbox, clock, board):
    outbox = open_outbox(max_entries=100)
    outbox.cursor("plant")
    fill(outbox, clock, 300)
    assert "before plant had them" in board.now["outbox"]
    outbox.advance("plant", 300)
    outbox.maintain()
    assert "outbox" not in board.now


def test_waiting_ends_when_there_is_more(open_outbox, clock):
    outbox = open_outbox()
    found = []
    waiter = threading.Thread(target=lambda: found.append(outbox.wait(0, 10)))
    waiter.start()
    outbox.append([decided(clock)])
    waiter.join(10)
    assert found == [True]


def test_waiting_ends_when_asked_to_stop(open_outbox):
    outbox, stop, found = open_outbox(), threading.Event(), []
    waiter = threading.Thread(target=lambda: found.append(outbox.wait(0, 10, stop)))
    waiter.start()
    stop.set()
    outbox.wake()
    waiter.join(10)
    assert found == [False]


def test_waiting_ends_with_its_time(open_outbox):
    assert open_outbox().wait(0, 0.01) is False


def test_many_threads_may_append_and_read(open_outbox, clock):
    outbox, seen = open_outbox(), []
    outbox.cursor("plant")

    def append(worker: int) -> None:
        for n in range(200):
            outbox.append([decided(clock, n, rule=f"r{worker}")])

    def read() -> None:
        at = 0
        while len(seen) < 800 and outbox.wait(at, 10):
            for entry in outbox.read(at, 50):
                seen.append(entry.seq)
                at = entry.seq

    threads = [threading.Thread(target=append, args=(w,)) for w in range(4)] + [threading.Thread(target=read)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == list(range(1, 801))


def test_a_power_cut_is_waited_for_at_each_step_when_sync_is_0(open_outbox, clock):
    outbox = open_outbox(sync_s=0)
    assert outbox._disk._file._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert outbox.append([decided(clock)])[0].seq == 1


def test_the_medium_has_all_within_sync_s_without_anybody_asking(open_outbox, clock, monkeypatch):
    synced = threading.Event()
    outbox = open_outbox(sync_s=0.01)
    outbox.maintain()
    real = outbox._disk._file.sync
    monkeypatch.setattr(outbox._disk._file, "sync", lambda: (real(), synced.set()))
    outbox.append([decided(clock)])
    assert synced.wait(10)


def test_who_keeps_account_hears_of_each_entry_in_order_and_once(tmp_path, clock):
    heard = []
    outbox = Outbox(tmp_path / "outbox.db", "press-07", clock, report=Board(), heed=heard.extend)
    fill(outbox, clock, 5)
    assert [entry.seq for entry in heard] == [1, 2, 3, 4, 5]
    outbox.close()


def test_what_every_sink_has_stays_as_history_up_to_its_bound(open_outbox, clock):
    outbox = open_outbox(history=500)
    outbox.cursor("plant")
    fill(outbox, clock, 3000)
    outbox.advance("plant", 3000)
    outbox.maintain()
    kept = [e for e in outbox.read(0, 5000) if not isinstance(e, Gap)]
    assert kept[-1].seq == 3000
    assert 500 <= len(kept) <= 500 + 1000
    assert outbox.depth("plant") == 0


def test_history_is_no_reason_to_complain_when_the_outbox_is_full(open_outbox, clock, board):
    outbox = open_outbox(history=100_000, max_entries=1000)
    outbox.cursor("plant")
    for _ in range(30):
        fill(outbox, clock, 100)
        outbox.advance("plant", outbox.newest)
    assert board.said == []
