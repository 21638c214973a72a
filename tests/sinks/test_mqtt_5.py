import pytest

from edgeinfer.errors import InputError
from edgeinfer.events import Acked, Message
from tests.waiting import wait_for

EVENT = Message(
    "t/decision/r", b"{}", seq=7, content_type="application/json", user=(("id", "k3v7"), ("seq", "7"))
)


@pytest.mark.slow
def test_properties_reach_a_subscriber_of_version_5(mqtt, mosquitto, subscriber):
    broker = mosquitto()
    seen, made = subscriber(broker, "t/#", version=5), mqtt(url=broker.url, expire_s=600)
    assert made.sink.wait_ready(10)
    assert made.sink.send([EVENT, Message("t/state/r", b"{}", retain=True)]) == [Acked()] * 2
    event, state = seen.wait_for(lambda m: len(m) == 2)
    assert event.properties.UserProperty == [("id", "k3v7"), ("seq", "7")]
    assert event.properties.ContentType == "application/json"
    assert 0 < event.properties.MessageExpiryInterval <= 600
    assert not hasattr(state.properties, "MessageExpiryInterval")


@pytest.mark.slow
def test_there_are_none_in_3_1_1(mqtt, mosquitto, subscriber):
    broker = mosquitto()
    seen, made = subscriber(broker, "t/#", version=5), mqtt(url=broker.url, version=3)
    assert made.sink.wait_ready(10)
    assert made.sink.send([EVENT]) == [Acked()]
    (event,) = seen.wait_for(lambda m: len(m) == 1)
    assert event.payload == b"{}"
    assert event.properties.isEmpty()


@pytest.mark.slow
def test_what_came_while_the_device_was_away_is_heard_within_the_session_expiry(mqtt, mosquitto):
    broker = mosquitto()
    options = {"url": broker.url, "session_expiry_s": 60, "client_id": "press"}
    first = mqtt(listens=("t/in",), **options)
    assert first.sink.wait_ready(10)
    wait_for(lambda: "t/in (QoS 1)" in broker.log())
    first.sink.close()
    other = mqtt(url=broker.url)
    assert other.sink.wait_ready(10)
    assert other.sink.send([Message("t/in", b"while away")]) == [Acked()]
    second = mqtt(listens=("t/in",), **options)
    assert second.sink.wait_ready(10)
    wait_for(lambda: ("t/in", b"while away") in second.heard)


@pytest.mark.slow
def test_without_a_session_expiry_the_broker_keeps_nothing(mqtt, mosquitto):
    broker = mosquitto()
    made = mqtt(url=broker.url, listens=("t/in",), client_id="press")
    assert made.sink.wait_ready(10)
    wait_for(lambda: "as press (p5, c1, k10" in broker.log())


@pytest.mark.parametrize("option", ["expire_s", "session_expiry_s"])
def test_what_only_version_5_has_is_not_promised_in_3_1_1(mqtt, option):
    with pytest.raises(InputError, match="version: .*need MQTT 5"):
        mqtt(version=3, **{option: 60})
