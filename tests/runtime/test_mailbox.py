from __future__ import annotations

from dataclasses import replace
from threading import Event, Thread

from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.runtime.mailbox import Hub, Inbox
from tests.samples import frame, lost, readings, tick
from tests.waiting import wait_for


def take_all(inbox: Inbox) -> list:
    found = []
    while (item := inbox.take(0.0)) is not None:
        found.append(item)
    return found


def test_newest_keeps_the_last_picture_and_counts_what_it_replaced():
    inbox = Inbox({"cam": "newest"})
    for n in range(5):
        inbox.offer("cam", frame(n))
    assert [s.key[1] for s in take_all(inbox)] == [4]
    assert inbox.dropped == 4


def test_newest_never_lets_a_picture_pass_a_loss():
    inbox = Inbox({"cam": "newest"})
    for item in (frame(0), frame(1), lost(2), frame(3), frame(4)):
        inbox.offer("cam", item)
    assert [s.key[1] for s in take_all(inbox)] == [1, 2, 4]


def test_ticks_that_nobody_took_become_one():
    inbox = Inbox({"cam": "newest"})
    for n in range(10_000):
        inbox.offer("cam", tick(n))
    assert [s.key[1] for s in take_all(inbox)] == [9_999]


def test_a_full_queue_drops_the_oldest_and_marks_the_gap_before_the_next():
    inbox = Inbox({"motor": "queue"})
    for n in range(1030):
        inbox.offer("motor", readings(n))
    taken = take_all(inbox)
    assert [r.key[1] for r in taken] == list(range(6, 1030))
    assert [r.gap_before for r in taken[:2]] == [True, False]
    assert inbox.dropped == 6


def test_a_dropped_block_is_a_gap_of_its_own_channels_and_of_no_others():
    inbox = Inbox({"motor": "queue"})
    for n in range(1025):
        item = readings(n)
        inbox.offer("motor", replace(item, channels=("temperature",)) if n == 1 else item)
    taken = take_all(inbox)
    assert [r.gap_before for r in taken[:3]] == [False, True, False]


@given(st.integers(1, 40))
def test_lockstep_drops_nothing_and_keeps_the_order(count):
    inbox = Inbox({"cam": "lockstep"})

    def feed() -> None:
        for n in range(count):
            inbox.offer("cam", frame(n))
        inbox.end("cam")

    thread = Thread(target=feed)
    thread.start()
    taken = []
    while not inbox.ended:
        item = inbox.take(1.0)
        if item is not None:
            taken.append(item.key[1])
    thread.join()
    assert taken == list(range(count))
    assert inbox.dropped == 0


def test_a_feed_that_waits_in_lockstep_is_let_go_when_it_is_asked_to_stop():
    inbox, stop, results = Inbox({"cam": "lockstep"}), Event(), []

    def feed() -> None:
        results.extend(inbox.offer("cam", frame(n), stop) for n in range(3))

    thread = Thread(target=feed)
    thread.start()
    wait_for(lambda: len(inbox.boxes["cam"].items) == 2)
    stop.set()
    thread.join(5)
    assert results == [True, True, False]


def test_two_lockstep_sources_are_merged_by_time_whatever_their_speed():
    inbox = Inbox({"a": "lockstep", "b": "lockstep"})
    inbox.offer("a", frame(1, "a", s=1.0))
    assert inbox.take(0.0) is None  # b still owes its next: it may be older
    inbox.offer("b", frame(1, "b", s=0.5))
    assert inbox.take(0.0).key == ("b", 1)
    assert inbox.take(0.0) is None
    inbox.end("b")
    assert inbox.take(0.0).key == ("a", 1)
    inbox.end("a")
    assert inbox.ended


def test_who_subscribes_to_a_lost_source_is_told_at_once():
    hub, inbox = Hub(), Inbox({"cam": "newest"})
    hub.lost("cam", lost(7))
    hub.subscribe(inbox)
    assert inbox.take(0.0).key == ("cam", 7)


def test_who_left_gets_nothing_more():
    hub, inbox = Hub(), Inbox({"cam": "newest"})
    hub.subscribe(inbox)
    hub.leave(inbox)
    hub.offer("cam", frame(1))
    assert inbox.take(0.0) is None
