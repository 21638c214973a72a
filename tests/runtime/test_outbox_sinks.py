import sqlite3

from edgeinfer.events import Gap
from edgeinfer.runtime.outbox import Outbox
from tests.runtime.decisions import Board, copy_of_a_killed_daemon, decided, fill


def test_what_all_sinks_have_is_trimmed(open_outbox, clock, tmp_path):
    outbox = open_outbox()
    outbox.cursor("plant")
    fill(outbox, clock, 1500)
    outbox.advance("plant", 1400)
    outbox.maintain()
    outbox.close()
    with sqlite3.connect(tmp_path / "state" / "outbox.db") as db:
        assert db.execute("SELECT min(seq), max(seq) FROM entries").fetchone() == (1401, 1500)
    db.close()


def test_the_slowest_sink_holds_back_trimming(open_outbox, clock):
    outbox = open_outbox()
    outbox.retire(["plant", "file"])
    fill(outbox, clock, 1500)
    outbox.advance("plant", 1500)
    outbox.maintain()
    assert outbox.read(0, 1)[0].seq == 1


def test_a_sink_that_left_no_longer_holds_back_trimming(open_outbox, clock):
    outbox = open_outbox()
    outbox.retire(["plant", "file"])
    fill(outbox, clock, 1500)
    outbox.advance("plant", 1500)
    outbox.retire(["plant"])
    outbox.maintain()
    assert isinstance(outbox.read(0, 1)[0], Gap)


def test_a_cursor_survives_a_restart(open_outbox, clock):
    outbox = open_outbox()
    outbox.cursor("plant")
    fill(outbox, clock, 3)
    outbox.advance("plant", 2)
    outbox.close()
    assert open_outbox().cursor("plant") == 2


def test_a_cursor_never_goes_back(open_outbox, clock):
    outbox = open_outbox()
    outbox.cursor("plant")
    fill(outbox, clock, 3)
    outbox.advance("plant", 3)
    outbox.advance("plant", 1)
    assert outbox.cursor("plant") == 3


def test_a_new_sink_starts_behind_what_is_here(open_outbox, clock):
    outbox = open_outbox()
    fill(outbox, clock, 3)
    outbox.retire(["plant"])
    assert outbox.cursor("plant") == 3


def test_the_place_of_a_new_sink_is_on_disk_at_once(open_outbox, clock, tmp_path):
    outbox = open_outbox()
    outbox.retire(["plant"])
    fill(outbox, clock, 3)
    copy_of_a_killed_daemon(tmp_path / "state", tmp_path / "killed")
    killed = Outbox(tmp_path / "killed" / "outbox.db", "press-07", clock, report=Board())
    assert (killed.cursor("plant"), len(killed.read(0, 10))) == (0, 3)
    killed.close()


def test_a_cursor_that_moved_far_is_written_at_once(open_outbox, clock, tmp_path):
    outbox = open_outbox()
    outbox.retire(["plant"])
    fill(outbox, clock, 700)
    outbox.advance("plant", 600)
    copy_of_a_killed_daemon(tmp_path / "state", tmp_path / "killed")
    killed = Outbox(tmp_path / "killed" / "outbox.db", "press-07", clock, report=Board())
    assert killed.cursor("plant") == 600
    killed.close()


def test_depth_counts_what_waits(open_outbox, clock):
    outbox = open_outbox()
    outbox.cursor("plant")
    fill(outbox, clock, 5)
    outbox.advance("plant", 2)
    assert outbox.depth("plant") == 3


def test_refused_entries_are_dead_letters(open_outbox, clock):
    outbox = open_outbox()
    (entry,) = outbox.append([decided(clock)])
    outbox.refuse("plant", entry, "Not authorized")
    assert outbox.refused("plant") == [(entry, "Not authorized")]
    assert outbox.refused("file") == []


def test_dead_letters_are_bounded(open_outbox, clock):
    outbox = open_outbox()
    (entry,) = outbox.append([decided(clock)])
    for n in range(1005):
        outbox.refuse("plant", entry, str(n))
    kept = outbox.refused("plant")
    assert (len(kept), kept[0][1], kept[-1][1]) == (1000, "5", "1004")


def test_retained_rules_are_remembered_over_a_restart(open_outbox):
    outbox = open_outbox()
    outbox.retire(["plant"])
    outbox.retain("plant", {"a", "b"})
    outbox.close()
    assert open_outbox().retained("plant") == {"a", "b"}


def test_connections_are_counted_for_each_sink(open_outbox):
    outbox = open_outbox()
    assert [outbox.count_connect("plant") for _ in range(3)] == [0, 1, 2]
    assert outbox.count_connect("other") == 0


def test_the_count_of_connections_survives_a_kill(open_outbox, clock, tmp_path):
    outbox = open_outbox()
    outbox.retire(["plant"])
    outbox.count_connect("plant")
    outbox.count_connect("plant")
    copy_of_a_killed_daemon(tmp_path / "state", tmp_path / "killed")
    again = Outbox(tmp_path / "killed" / "outbox.db", "press-07", clock, report=Board())
    assert again.count_connect("plant") == 2
    again.close()
