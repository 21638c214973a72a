"""The courier with an encoding whose messages nobody acknowledges."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edgeinfer.ports import EncoderPlace
from edgeinfer.runtime.courier import Courier
from edgeinfer.testing.sinks import FakeSink
from edgeinfer.wire.sparkplug import Sparkplug
from edgeinfer.wire.sparkplug_payload import decode
from tests.runtime.test_courier import Line
from tests.waiting import wait_for

FOREVER_S = 3600.0
ONLINE, OFFLINE = b'{"online":true,"timestamp":%d}', b'{"online":false,"timestamp":%d}'
STATE = "spBv1.0/STATE/scada"


class Node:
    """A courier with a fake sink that asks for the will as a real one does."""

    def __init__(self, line: Line, **options) -> None:
        self.line, self.sink = line, FakeSink()
        place = EncoderPlace(
            "press-07",
            "t",
            "plant",
            rules={"scratched": "binary"},
            connects=partial(line.outbox.count_connect, "plant"),
        )
        self.encoder = Sparkplug(Sparkplug.Options(group="g", aliases=False, **options), place)
        self.encoder.will()
        line.outbox.cursor("plant")
        self.courier = Courier(
            "plant",
            line.outbox,
            line.states,
            self.encoder,
            self.sink,
            line.health,
            lambda _, e: line.fatal.append(e),
        )
        line.couriers.append(self.courier)

    def break_off(self) -> None:
        """The connection is lost, and another one stands."""
        self.sink.lose()
        self.encoder.will()
        self.sink.restore()

    def told(self) -> list[tuple[str, int | None, bool]]:
        """Kind, number of the decision, and whether it is historical, of each message but pulses."""
        found = []
        for message in list(self.sink.seen):
            kind = message.topic.split("/")[2]
            metrics = {m.name: m for m in decode(message.payload).metrics}
            number = metrics.get("scratched/seq")
            if kind != "NDATA":
                found.append((kind, number and number.value, bool(number and number.historical)))
        return found

    def wait_told(self, *wanted: tuple[str, int | None, bool]) -> None:
        wait_for(lambda: set(wanted) <= set(self.told()), what=f"{wanted} in {self.told()}")


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path, {"scratched": "inspection"})
    yield made
    made.close()


def test_the_cursor_waits_until_the_connection_has_held(line):
    node = Node(line, confirm_s=FOREVER_S)
    node.courier.start()
    line.decide()
    node.wait_told(("DDATA", 1, False))
    assert line.outbox.cursor("plant") == 0


def test_the_cursor_follows_when_it_has_held(line):
    node = Node(line, confirm_s=0.2)
    node.courier.start()
    line.decide()
    wait_for(lambda: line.outbox.cursor("plant") == 1)


def test_what_was_sent_is_not_sent_twice_on_one_connection(line):
    node = Node(line, confirm_s=FOREVER_S)
    node.courier.start()
    for n in range(5):
        line.decide(n)
        node.wait_told(("DDATA", n + 1, False))
    assert [number for kind, number, _ in node.told() if kind == "DDATA"] == [1, 2, 3, 4, 5]


def test_what_a_dying_connection_took_is_sent_again_as_historical(line):
    node = Node(line, confirm_s=FOREVER_S)
    node.courier.start()
    line.decide(0)
    line.decide(1)
    node.wait_told(("DDATA", 2, False))
    node.break_off()
    node.wait_told(("DBIRTH", 2, False), ("DDATA", 1, True), ("DDATA", 2, True))


def test_an_ordered_stop_confirms_all_since_the_death_is_acknowledged(line):
    node = Node(line, confirm_s=FOREVER_S)
    node.courier.start()
    line.decide()
    node.wait_told(("DDATA", 1, False))
    assert node.courier.stop(5)
    assert line.outbox.cursor("plant") == 1
    assert [kind for kind, *_ in node.told()][-2:] == ["DDEATH", "NDEATH"]


def test_nothing_is_said_before_the_primary_host_is_online(line):
    node = Node(line, primary_host="scada")
    node.courier.start()
    line.decide()
    wait_for(lambda: "scada" in line.health.post("plant").reason)
    assert node.sink.seen == []
    node.encoder.heard(STATE, ONLINE % 1)
    node.wait_told(("NBIRTH", None, False), ("DDATA", 1, True))


def test_a_primary_host_that_leaves_gets_a_death_and_hears_all_that_was_not_sure_again(line):
    node = Node(line, primary_host="scada", confirm_s=FOREVER_S)
    node.encoder.heard(STATE, ONLINE % 1)
    node.courier.start()
    line.decide()
    node.wait_told(("DDATA", 1, False))
    node.sink.block()
    node.encoder.heard(STATE, OFFLINE % 1)
    node.sink.unblock()
    node.wait_told(("NDEATH", None, False))
    assert line.outbox.cursor("plant") == 0
    wait_for(lambda: node.sink.session == 2)
    node.encoder.will()
    node.encoder.heard(STATE, ONLINE % 2)
    node.wait_told(("DDATA", 1, True))


def test_a_connection_that_came_while_a_birth_was_made_for_the_one_before_it_gets_its_own(line):
    node = Node(line, primary_host="scada")
    node.encoder.heard(STATE, ONLINE % 1)
    node.courier.start()
    node.wait_told(("DBIRTH", None, False))
    node.sink.lose()
    node.encoder.will()
    node.encoder.birth(line.states.all(), [])  # too late: it is for a connection that is gone
    node.encoder.heard(STATE, OFFLINE % 1)
    node.encoder.heard(STATE, ONLINE % 2)
    node.sink.seen.clear()
    node.sink.restore()
    wait_for(lambda: node.sink.session == 3)
    node.encoder.will()
    node.encoder.heard(STATE, ONLINE % 2)
    node.wait_told(("NBIRTH", None, False), ("DBIRTH", None, False))


def test_a_stop_while_the_primary_host_is_away_loses_nothing(line):
    node = Node(line, primary_host="scada")
    node.courier.start()
    line.decide()
    wait_for(lambda: "scada" in line.health.post("plant").reason)
    assert node.courier.stop(5)
    assert node.sink.seen == []
    assert line.outbox.cursor("plant") == 0
