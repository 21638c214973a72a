"""A courier whose sink wants numbers in batches."""

import json

import pytest

from edgeinfer.ports import EncoderPlace
from edgeinfer.runtime.courier import Courier
from edgeinfer.testing.sinks import FakeSink
from edgeinfer.wire.json import Json
from tests.runtime.test_courier import Line
from tests.waiting import wait_for


class Batching(FakeSink):
    batch_s = 3600.0  # nothing but what a test does ends the waiting


@pytest.fixture
def line(tmp_path):
    made = Line(tmp_path, {"temp": "p", "door": "p", "rpm": "p"})
    yield made
    made.close()


def courier(line, batch_s=3600.0):
    sink = Batching()
    sink.batch_s = batch_s
    encoder = Json(Json.Options(), EncoderPlace("press-07", "t", "plant", batches=True))
    line.outbox.cursor("plant")
    made = Courier(
        "plant", line.outbox, line.states, encoder, sink, line.health, lambda _, e: line.fatal.append(e)
    )
    line.couriers.append(made)
    return made, sink


def told(seen):
    """(rule, its numbers) of each decision message."""
    found = []
    for message in seen:
        if message.topic.startswith("t/decision/"):
            body = json.loads(message.payload)
            found.append(
                (
                    message.topic.rpartition("/")[2],
                    [d["seq"] for d in body] if isinstance(body, list) else body["seq"],
                )
            )
    return found


def test_numbers_wait_until_something_else_happens_and_then_come_with_it(line):
    made, sink = courier(line)
    for n in range(3):
        line.decide(n, "temp", float(n))
        line.decide(n, "rpm", float(n))
    line.decide(9, "door", "on")
    made.start()
    seen = sink.wait_for(lambda seen: len(told(seen)) == 3)
    assert told(seen) == [("temp", [1, 3, 5]), ("rpm", [2, 4, 6]), ("door", 7)]
    wait_for(lambda: line.outbox.depth("plant") == 0)
    assert line.health.post("plant").meters.counters["sent"] == 7


def test_the_state_of_a_batch_is_published_once(line):
    made, sink = courier(line)
    made.start()
    sink.wait_for(lambda seen: any(m.topic == "t/health" for m in seen))
    sink.seen.clear()
    for n in range(5):
        line.decide(n, "temp", float(n))
    line.decide(9, "door", "on")
    seen = sink.wait_for(lambda seen: any(m.topic == "t/state/door" for m in seen))
    states = [json.loads(m.payload)["state"] for m in seen if m.topic == "t/state/temp"]
    assert states[-1] == 4.0
    assert len(states) < 5


def test_numbers_alone_go_after_their_time(line):
    made, sink = courier(line, batch_s=0.05)
    made.start()
    for n in range(3):
        line.decide(n, "temp", float(n))
    sink.wait_for(lambda seen: sum(len(numbers) for _, numbers in told(seen)) == 3)


def test_a_stop_waits_for_no_company(line):
    made, sink = courier(line)
    made.start()
    line.decide(0, "temp", 1.0)
    made.stop(5)
    assert told(sink.seen) == [("temp", [1])]


def test_a_broken_connection_between_two_batches_loses_nothing(line):
    made, sink = courier(line)
    for n in range(3):
        line.decide(n, "temp", float(n))
        line.decide(n, "rpm", float(n))
    line.decide(9, "door", "on")
    made.start()
    sink.wait_for(lambda seen: len(told(seen)) == 3)
    wait_for(lambda: line.outbox.depth("plant") == 0)
    sink.seen.clear()
    sink.settle_only(1)
    for n in range(2):
        line.decide(10 + n, "temp", 5.0 + n)
        line.decide(10 + n, "rpm", 5.0 + n)
    line.decide(20, "door", "off")
    sink.wait_for(lambda seen: seen)
    wait_for(lambda: not sink.wait_ready(0))
    sink.restore()
    sink.wait_for(lambda seen: ("door", 12) in told(seen))
    got = {seq for rule, seqs in told(sink.seen) if rule != "door" for seq in seqs}
    assert got == {8, 9, 10, 11}


def test_a_refused_batch_is_a_dead_letter_for_each_in_it(line):
    made, sink = courier(line)
    sink.refuse("t/decision/temp", "not allowed")
    for n in range(3):
        line.decide(n, "temp", float(n))
    line.decide(9, "door", "on")
    made.start()
    wait_for(lambda: line.outbox.depth("plant") == 0)
    assert [entry.seq for entry, _ in line.outbox.refused("plant")] == [1, 2, 3]
    assert line.health.post("plant").meters.counters["refused"] == 3
