"""Limits at a broker; how fast they let messages through is tests/sinks/test_mqtt_pace.py."""

import time
from threading import Thread

import pytest

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Acked, Message, Sent
from tests.sinks.stub import OldBroker
from tests.waiting import wait_for

HEARTBEAT = Message("t/heartbeat", b"1", qos=0)


@pytest.fixture
def broker():
    made = OldBroker()
    yield made
    made.close()


def test_a_heartbeat_does_not_wait_and_is_paid_for_all_the_same(mqtt, broker):
    made = mqtt(url=f"mqtt://127.0.0.1:{broker.port}", version=3, max_messages_s=1)
    assert made.sink.wait_ready(10)
    assert made.sink.send([HEARTBEAT] * 20) == [Sent()] * 20
    assert made.sink._pace.wait_s(time.monotonic()) > 1


def test_a_message_costs_its_payload_and_its_topic(mqtt, broker):
    made = mqtt(url=f"mqtt://127.0.0.1:{broker.port}", version=3, max_bytes_s=10_000)
    assert made.sink.wait_ready(10)
    assert made.sink.send([Message("t", b"x" * 200_000, seq=1)]) == [Acked()]
    assert made.sink._pace.wait_s(time.monotonic()) > 10


def test_a_wait_for_credit_ends_with_the_connection(mqtt, broker):
    made = mqtt(url=f"mqtt://127.0.0.1:{broker.port}", version=3, max_messages_s=0.01)
    assert made.sink.wait_ready(10)
    made.sink.send([HEARTBEAT] * 5)  # 400 s to pay for
    errors = []

    def deliver() -> None:
        try:
            made.sink.send([Message("t", b"1", seq=1)])
        except DeliveryError as error:
            errors.append(error)

    thread = Thread(target=deliver)
    thread.start()
    wait_for(lambda: made.sink._dialler._busy)
    made.sink.close()
    thread.join(10)
    assert len(errors) == 1


def test_without_limits_a_batch_is_as_large_as_ever(mqtt, broker):
    made = mqtt(url=f"mqtt://127.0.0.1:{broker.port}")
    assert made.sink.batch == 256


@pytest.mark.slow
def test_who_is_closed_while_a_decision_waits_for_credit_is_offline(mqtt, mosquitto, subscriber):
    broker = mosquitto()
    seen, made = subscriber(broker, "t/status"), mqtt(url=broker.url, max_messages_s=0.01)
    assert made.sink.wait_ready(10)
    made.sink.send([Message("t/status", b"online", retain=True), *[HEARTBEAT] * 5])
    thread = Thread(target=lambda: pytest.raises(DeliveryError, made.sink.send, [Message("t", b"1", seq=1)]))
    thread.start()
    wait_for(lambda: made.sink._dialler._busy)
    made.sink.close()
    thread.join(10)
    seen.wait_for(lambda m: [one.payload for one in m] == [b"online", b"offline"])
