"""What belongs to one connection only: its last will, and the messages that were made for it."""

from __future__ import annotations

import itertools

import pytest

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Message, Sent
from edgeinfer.ports import SinkPlace
from edgeinfer.sinks.mqtt import Mqtt
from tests.runtime.decisions import Board
from tests.sinks.stub import OldBroker
from tests.waiting import wait_for

DATA = Message("t/data", b"1", qos=0, seq=1)


@pytest.fixture
def numbered():
    """A sink whose will is another one on each connection: 0, 1, 2, …"""
    made: list[Mqtt] = []

    def make(url: str, version: int = 0) -> Mqtt:
        count = itertools.count()
        will = lambda: Message("t/will", b"%d" % next(count), qos=1)
        place = SinkPlace("plant", "press-07", "0123456789abcdef", will, Board())
        made.append(Mqtt(Mqtt.Options(url=url, version=version), place))
        return made[-1]

    yield make
    for sink in made:
        sink.close()


def test_nothing_is_sent_on_a_connection_that_the_sender_does_not_know_of(numbered):
    broker = OldBroker()
    sink = numbered(f"mqtt://127.0.0.1:{broker.port}", version=3)
    assert sink.wait_ready(10)
    broker.drop()
    wait_for(lambda: sink.session == 2)
    with pytest.raises(DeliveryError, match="not connected"):
        sink.send([DATA])
    assert sink.wait_ready(10)
    assert sink.send([DATA]) == [Sent()]
    broker.close()


def test_connecting_anew_is_another_session(numbered):
    broker = OldBroker()
    sink = numbered(f"mqtt://127.0.0.1:{broker.port}", version=3)
    assert sink.wait_ready(10)
    sink.reconnect()
    wait_for(lambda: sink.wait_ready(0) and sink.session == 2)
    assert sink.send([DATA]) == [Sent()]
    broker.close()


def test_connecting_anew_without_a_connection_does_nothing(numbered):
    broker = OldBroker()
    sink = numbered(f"mqtt://127.0.0.1:{broker.port}", version=3)
    sink.reconnect()
    assert sink.wait_ready(10)
    assert sink.session == 1
    broker.close()


@pytest.mark.slow
@pytest.mark.parametrize("version", [3, 5])
def test_each_connection_has_a_will_of_its_own(numbered, mosquitto, subscriber, version):
    broker = mosquitto()
    seen = subscriber(broker, "t/#")
    sink = numbered(broker.url, version)
    for n in range(3):
        wait_for(lambda n=n: sink.wait_ready(0) and sink.session == n + 1)
        sink._link.kill("as a broken network would")
        seen.wait_for(lambda m, n=n: len(m) == n + 1)
    assert [message.payload for message in seen.messages] == [b"0", b"1", b"2"]


@pytest.mark.slow
def test_who_connects_anew_says_goodbye_so_that_no_will_is_sent(numbered, mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, "t/#")
    sink = numbered(broker.url)
    assert sink.wait_ready(10)
    sink.send([DATA])
    sink.reconnect()
    wait_for(lambda: sink.wait_ready(0) and sink.session == 2)
    sink.send([Message("t/data", b"2", qos=0)])
    assert [m.payload for m in seen.wait_for(lambda m: len(m) == 2)] == [b"1", b"2"]
