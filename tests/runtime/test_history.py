from edgeinfer.runtime.history import find, recent
from edgeinfer.runtime.outbox_file import find_in
from edgeinfer.runtime.outbox_rows import unpack
from tests.runtime.decisions import decided, fill


def test_a_decision_is_found_by_its_id_in_memory_and_on_disk(open_outbox, clock):
    outbox = open_outbox(history=10_000)
    first = outbox.append([decided(clock, 7000)])[0]
    fill(outbox, clock, 1000)
    last = outbox.append([decided(clock, 5000)])[0]
    assert find(outbox, last.id) == last
    assert find(outbox, first.id) == first
    assert find(outbox, "aaaaaaaaaaaaaaaa") is None


def test_a_decision_is_found_in_the_file_of_a_daemon_that_is_stopped(open_outbox, clock, tmp_path):
    outbox = open_outbox()
    entry = outbox.append([decided(clock, 0)])[0]
    outbox.close()
    rows = find_in(tmp_path / "state" / "outbox.db", entry.id)
    assert [unpack(*row) for row in rows] == [entry]


def test_the_newest_decisions_are_there_whether_delivered_or_not(open_outbox, clock):
    outbox = open_outbox(history=10_000)
    outbox.cursor("plant")
    fill(outbox, clock, 1000)
    outbox.advance("plant", 1000)
    outbox.maintain()
    assert [e.seq for e in recent(outbox, 700)] == list(range(301, 1001))
    assert len(recent(outbox, 5000)) == 1000
