from __future__ import annotations

import pytest

from edgeinfer.clock import SourceStamp, SystemClock
from edgeinfer.errors import SourceLost
from edgeinfer.events import Back, Frame, Lost, Tick
from edgeinfer.runtime.feed import Feed
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.mailbox import Hub, Inbox
from edgeinfer.taps import Taps
from edgeinfer.testing.sources import Hang, ScriptedSource
from tests.samples import frame
from tests.waiting import wait_for

S = 1_000_000_000


def script(*steps, flow="queue", block_s=0.5) -> ScriptedSource:
    return ScriptedSource(steps, block_s=block_s, flow=flow)


@pytest.fixture
def house():
    class House:
        clock = SystemClock()
        health = Health(clock)
        hub = Hub()
        inbox = Inbox({"cam": "queue"})
        errors: list = []
        feeds: list = []

        def feed(self, *sources) -> Feed:
            todo = list(sources)
            self.hub.subscribe(self.inbox)
            feed = Feed(
                "cam",
                lambda: todo.pop(0) if len(todo) > 1 else todo[0],
                SourceStamp("cam", self.clock),
                self.hub,
                Taps(),
                self.health,
                lambda post, error: self.errors.append(error),
            )
            self.feeds.append(feed)
            return feed

        def take(self, timeout_s: float = 5.0):
            return self.inbox.take(timeout_s)

    made = House()
    made.errors, made.feeds = [], []
    yield made
    for feed in made.feeds:
        feed.stop(0.1)


def test_samples_reach_the_inbox_and_the_end_is_told(house):
    feed = house.feed(script(frame(0), frame(1)))
    feed.start()
    assert [house.take().key[1], house.take().key[1]] == [0, 1]
    wait_for(lambda: feed.ended and house.inbox.ended)
    assert house.health.post("source.cam").condition == "ended"


def test_a_lost_source_is_told_degraded_and_opened_again_then_told_back(house):
    feed = house.feed(script(frame(0), SourceLost("cable pulled"), frame(1), Hang()))
    feed.start()
    kinds = [type(house.take(10)) for _ in range(4)]
    assert kinds == [Frame, Lost, Back, Frame]
    assert house.health.post("source.cam").condition == "ok"
    assert house.health.post("source.cam").meters.counters["opened"] == 2


def test_a_source_absent_at_start_is_told_with_its_reason(house):
    house.feed(script(SourceLost("no such device /dev/video7"))).start()
    lost = house.take()
    assert isinstance(lost, Lost)
    assert "video7" in lost.reason
    assert "video7" in house.health.degraded()["source.cam"]


def test_a_source_that_hangs_is_told_lost_within_two_blocks_and_replaced(house):
    hang = Hang()
    feed = house.feed(script(frame(0), hang), script(frame(1), Hang()))
    feed.start()
    assert isinstance(house.take(), Frame)
    stuck_at = feed._new_ns
    feed.watch(stuck_at + S // 2)
    assert house.inbox.take(0.0) is None
    feed.watch(stuck_at + S)  # 2 × block_s after the last sample
    assert isinstance(house.take(), Lost)
    kinds = [type(house.take()), type(house.take())]
    assert kinds == [Back, Frame]
    hang.set()  # the old thread comes back to life: it must say no more
    assert house.inbox.take(0.3) is None
    assert house.health.post("source.cam").meters.counters["replaced"] == 1


def test_silence_is_ticked_once_a_second(house):
    feed = house.feed(script(frame(0), Hang(), block_s=100))
    feed.start()
    house.take()
    start = feed._offer_ns
    feed.watch(start + S // 2)
    assert house.inbox.take(0.0) is None
    feed.watch(start + S)
    assert isinstance(house.take(0.0), Tick)


def test_what_no_backoff_mends_is_fatal(house):
    house.feed(script(ValueError("a bug"))).start()
    wait_for(lambda: house.errors)
    assert isinstance(house.errors[0], ValueError)


def test_a_lockstep_source_is_never_called_stalled(house):
    house.inbox = Inbox({"cam": "lockstep"})
    feed = house.feed(script(*(frame(n) for n in range(5)), flow="lockstep"))
    feed.start()
    wait_for(house.inbox.boxes["cam"].full)
    feed.watch(feed._new_ns + 100 * S)
    assert [house.take().key[1] for _ in range(5)] == [0, 1, 2, 3, 4]
