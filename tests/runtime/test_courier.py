import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgeinfer.events import Message
from edgeinfer.ports import EncoderPlace
from edgeinfer.runtime.aside import Aside
from edgeinfer.runtime.courier import Courier
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.states import States
from edgeinfer.testing.clock import FakeClock
from edgeinfer.testing.sinks import FakeSink
from edgeinfer.wire.json import Json
from tests.runtime.decisions import Board, decided
from tests.waiting import wait_for


class Line:
    """An outbox and couriers with fake sinks."""

    def __init__(self, folder: Path, rules: dict[str, str], **options) -> None:
        self.clock, self.board = FakeClock(), Board()
        self.health = Health(self.clock)
        self.outbox = Outbox(folder / "outbox.db", "press-07", self.clock, report=self.board, **options)
        self.states = States(self.outbox, rules)
        self.fatal: list[BaseException] = []
        self.couriers: list[Courier] = []

    def courier(self, name: str = "plant", sink: FakeSink | None = None) -> tuple[Courier, FakeSink]:
        sink = sink or FakeSink()
        encoder = Json(Json.Options(), EncoderPlace("press-07", "t", name))
        self.outbox.cursor(name)
        courier = Courier(
            name, self.outbox, self.states, encoder, sink, self.health, lambda _, e: self.fatal.append(e)
        )
        self.couriers.append(courier)
        return courier, sink

    def decide(self, n: int = 0, rule: str = "scratched", state="on") -> None:
        self.states.update(self.outbox.append([decided(self.clock, n, rule, state)]))

    def close(self) -> None:
        for courier in self.couriers:
            courier.stop(5)
        self.outbox.close()
        assert not self.fatal, self.fatal


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path, {"scratched": "inspection"})
    yield made
    made.close()


def decisions(messages: list[Message]) -> list[int]:
    return [m.seq for m in messages if m.topic.startswith("t/decision/")]


def last(messages: list[Message], topic: str) -> bytes | None:
    return next((m.payload for m in reversed(messages) if m.topic == topic), None)


def test_decisions_arrive_in_order(line):
    courier, sink = line.courier()
    courier.start()
    for n in range(600):
        line.decide(n)
    assert decisions(sink.wait_for(lambda seen: len(decisions(seen)) == 600)) == list(range(1, 601))


def test_the_cursor_follows_the_acknowledgement(line):
    courier, _ = line.courier()
    courier.start()
    line.decide()
    wait_for(lambda: line.outbox.cursor("plant") == 1)


def test_a_new_connection_begins_with_a_birth_a_heartbeat_and_health(line):
    courier, sink = line.courier()
    courier.start()
    seen = sink.wait_for(lambda seen: last(seen, "t/health") is not None)
    assert [m.topic for m in seen] == ["t/state/scratched", "t/status", "t/heartbeat", "t/health"]
    assert json.loads(seen[0].payload)["details"] == {"reason": "starting"}


def test_a_reconnect_rebuilds_the_last_states(line):
    courier, sink = line.courier()
    courier.start()
    line.decide(state="on")
    sink.wait_for(lambda seen: decisions(seen) == [1])
    sink.lose()
    sink.seen.clear()
    sink.restore()
    seen = sink.wait_for(lambda seen: last(seen, "t/status") == b"online")
    assert json.loads(last(seen, "t/state/scratched"))["state"] == "on"
    wait_for(lambda: line.health.post("plant").meters.counters.get("reconnects") == 1)


def test_decisions_of_an_earlier_life_change_no_state(tmp_path):
    first = Line(tmp_path, {"scratched": "inspection"})
    first.outbox.cursor("plant")
    first.decide(state="on")
    first.close()
    second = Line(tmp_path, {"scratched": "inspection"})
    courier, sink = second.courier()
    courier.start()
    seen = sink.wait_for(lambda seen: decisions(seen) == [1])
    assert json.loads(last(seen, "t/state/scratched"))["state"] == "unknown"
    second.close()


def test_the_state_of_a_rule_that_left_is_cleared_after_a_restart(tmp_path):
    first = Line(tmp_path, {"scratched": "inspection", "old": "inspection"})
    courier, sink = first.courier()
    courier.start()
    sink.wait_for(lambda seen: last(seen, "t/status") == b"online")
    first.close()
    second = Line(tmp_path, {"scratched": "inspection"})
    courier, sink = second.courier()
    courier.start()
    seen = sink.wait_for(lambda seen: last(seen, "t/status") == b"online")
    assert last(seen, "t/state/old") == b""
    wait_for(lambda: second.outbox.retained("plant") == {"scratched"})
    second.close()


def test_the_state_of_a_rule_that_left_is_cleared_at_a_reload(line):
    courier, sink = line.courier()
    courier.start()
    sink.wait_for(lambda seen: last(seen, "t/status") == b"online")
    line.states.replan({"new": "inspection"})
    line.outbox.wake()
    seen = sink.wait_for(lambda seen: last(seen, "t/state/new") is not None)
    assert last(seen, "t/state/scratched") == b""


def test_a_settled_prefix_is_not_sent_again(line):
    courier, sink = line.courier()
    for n in range(10):
        line.decide(n)
    courier.start()
    sink.wait_for(lambda seen: len(decisions(seen)) == 10)
    sink.block()
    for n in range(10, 20):
        line.decide(n)
    sink.settle_only(4)
    sink.unblock()
    wait_for(lambda: not sink.wait_ready(0))
    sink.restore()
    seen = sink.wait_for(lambda seen: 20 in decisions(seen))
    assert sorted(set(decisions(seen))) == list(range(1, 21))
    assert decisions(seen) == sorted(decisions(seen))


def test_a_refused_decision_is_a_dead_letter_and_blocks_nothing(line):
    courier, sink = line.courier()
    sink.refuse("t/decision/scratched", "Not authorized")
    courier.start()
    line.decide(1)
    line.decide(2, rule="other")
    sink.wait_for(lambda seen: decisions(seen) == [2])
    wait_for(lambda: line.outbox.cursor("plant") == 2)
    ((entry, reason),) = line.outbox.refused("plant")
    assert (entry.seq, reason) == (1, "Not authorized")
    assert line.health.post("plant").meters.counters["refused"] == 1


def test_a_dead_sink_holds_back_no_other(line):
    dead, dead_sink = line.courier("dead")
    courier, sink = line.courier("plant")
    dead_sink.lose()
    dead.start()
    courier.start()
    for n in range(100):
        line.decide(n)
    sink.wait_for(lambda seen: len(decisions(seen)) == 100)
    assert line.outbox.depth("dead") == 100


def test_a_hanging_sink_holds_back_no_other_and_is_judged_stuck(line):
    hanging, hanging_sink = line.courier("hanging")
    courier, sink = line.courier("plant")
    hanging_sink.block()
    hanging.start()
    courier.start()
    line.decide()
    sink.wait_for(lambda seen: decisions(seen) == [1])
    hanging.watch(time.monotonic_ns() + 61_000_000_000)
    assert hanging.stuck
    assert line.health.post("hanging").condition == "degraded"
    hanging_sink.unblock()


def test_a_lost_connection_is_told_and_taken_back(line):
    courier, sink = line.courier()
    sink.lose()
    courier.start()
    wait_for(lambda: line.health.post("plant").condition == "degraded")
    sink.restore()
    wait_for(lambda: line.health.post("plant").condition == "ok")


def test_a_full_outbox_tells_the_subscriber_of_the_gap(tmp_path):
    line = Line(tmp_path, {"scratched": "inspection"}, max_entries=50)
    courier, sink = line.courier()
    for n in range(200):
        line.decide(n)
    courier.start()
    seen = sink.wait_for(lambda seen: 200 in decisions(seen))
    gap = json.loads(last(seen, "t/gap"))
    assert (gap["first"], gap["last"] + 1) == (1, decisions(seen)[0])
    assert line.health.post("plant").meters.counters["gaps"] == gap["dropped"]
    line.close()


def test_an_ordered_stop_delivers_the_rest_and_says_farewell(line):
    courier, sink = line.courier()
    courier.start()
    sink.wait_for(lambda seen: last(seen, "t/health") is not None)
    sink.block()
    for n in range(300):
        line.decide(n)
    threading.Timer(0.05, sink.unblock).start()
    assert courier.stop(10)
    assert len(decisions(sink.seen)) == 300
    assert json.loads(last(sink.seen, "t/state/scratched"))["details"] == {"reason": "stopped"}
    assert (sink.seen[-1].payload, sink.closed) == (b"offline", True)


def test_a_stop_without_a_connection_does_not_wait(line):
    courier, sink = line.courier()
    sink.lose()
    courier.start()
    assert courier.stop(5)
    assert sink.closed


def test_a_sink_that_does_not_answer_is_closed_and_the_courier_ends(line):
    courier, sink = line.courier()
    courier.start()
    sink.wait_for(lambda seen: last(seen, "t/health") is not None)
    sink.block()
    line.decide()
    assert courier.stop(0.5)
    assert sink.closed


def test_health_is_published_again_when_it_changes(line):
    courier, sink = line.courier()
    courier.start()
    sink.wait_for(lambda seen: last(seen, "t/health") is not None)
    line.health.mark("camera", "degraded", "no picture")
    seen = sink.wait_for(lambda seen: b"no picture" in (last(seen, "t/health") or b""))
    assert json.loads(last(seen, "t/health"))["condition"] == "degraded"


def test_the_time_to_the_acknowledgement_is_measured(line):
    courier, sink = line.courier()
    courier.start()
    decision = decided(line.clock)
    line.clock.advance(0.5)
    line.outbox.append([decision])
    wait_for(lambda: "acknowledged" in line.health.post("plant").meters.histograms)
    assert line.health.post("plant").meters.histograms["acknowledged"].max_ns == 500_000_000


def test_a_programming_error_stops_the_daemon(line):
    courier, sink = line.courier()
    sink.send = lambda batch: 1 / 0
    courier.start()
    wait_for(lambda: line.fatal)
    assert isinstance(line.fatal.pop(), ZeroDivisionError)


def test_a_sink_that_is_slow_on_purpose_is_given_few_entries_at_once(line):
    sink = FakeSink()
    sink.batch, sizes = 3, []
    send = sink.send
    sink.send = lambda batch: sizes.append(len(decisions(batch))) or send(batch)
    courier, _ = line.courier(sink=sink)
    for n in range(10):
        line.decide(n)
    courier.start()
    sink.wait_for(lambda seen: len(decisions(seen)) == 10)
    assert [size for size in sizes if size] == [3, 3, 3, 1]


def test_what_is_to_be_said_besides_is_said_once_and_settles_nothing(line):
    left = [Message("t/reply", b"{}")]
    courier, sink = line.courier()
    courier._outgoing = lambda: [left.pop()] if left else []
    line.decide(0)
    courier.start()
    sink.wait_for(lambda seen: decisions(seen) and [m.topic for m in seen].count("t/reply") == 1)
    assert line.outbox.cursor("plant") == 1


def test_an_answer_that_is_there_at_the_end_goes_before_the_farewell(line):
    left = []
    courier, sink = line.courier()
    courier._outgoing = lambda: [left.pop()] if left else []
    courier.start()
    sink.wait_for(lambda seen: len(seen) > 1)
    left.append(Message("t/reply", b"{}"))
    assert courier.stop(5)
    topics = [m.topic for m in sink.seen]
    assert topics.index("t/reply") < len(topics) - 1
    assert topics[-1] == "t/status"


def test_a_thumbnail_is_sent_once_at_qos_0_and_not_kept(line):
    aside, sink = Aside(), FakeSink()
    encoder = Json(Json.Options(), EncoderPlace("press-07", "t", "plant"))
    courier = Courier(
        "plant",
        line.outbox,
        line.states,
        encoder,
        sink,
        line.health,
        lambda _, e: line.fatal.append(e),
        aside,
    )
    line.couriers.append(courier)
    courier.start()
    sink.wait_for(lambda seen: last(seen, "t/status") is not None)
    aside.put("scratched", "k3v7aaaaaaaaaaaa", b"\xff\xd8jpeg")
    seen = sink.wait_for(lambda seen: last(seen, "t/thumbnail/scratched") is not None)
    (message,) = [m for m in seen if m.topic == "t/thumbnail/scratched"]
    assert (message.qos, message.retain, message.seq) == (0, False, None)
    assert (message.content_type, message.user) == ("image/jpeg", (("id", "k3v7aaaaaaaaaaaa"),))
