import msgspec
import paho.mqtt.publish as paho
import pytest

from edgeinfer.errors import InputError
from edgeinfer.events import Readings, Trigger
from edgeinfer.sources.mqtt import Mqtt
from edgeinfer.testing.sources import Reports
from tests.fixtures.brokers import free_port
from tests.sinks.stub import OldBroker
from tests.sources.conftest import make
from tests.sources.reader import Reader
from tests.waiting import wait_for


def subscribed(broker, times=1):
    wait_for(lambda: broker.log().count("Sending SUBACK") >= times)


def say(broker, topic, *payloads, retain=False):
    paho.multiple(
        [{"topic": topic, "payload": p, "qos": 1, "retain": retain} for p in payloads],
        broker.host,
        broker.port,
    )


# --- without a broker ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "channels: expected at least one"),
        ({"channels": {"a": "x"}}, "topics: expected at least one"),
        ({"channels": {"a": "x"}, "topics": ["a/#/b"]}, "topics: expected a topic"),
        ({"channels": {"a": {"topic": "x#"}}}, "topics: expected a topic"),
        ({"channels": {"a": {"topic": "x"}}, "topics": ["y/+"]}, "channels: a waits for 'x'"),
        ({"topics": ["x"], "trigger": True, "channels": {"a": ""}}, "channels: a trigger has none"),
        ({"topics": ["x"], "channels": {"a": ""}, "context": {"p": "p"}}, "context: it belongs to a trigger"),
        ({"topics": ["x"], "trigger": True, "block_s": 0.1}, "block_s: expected seconds"),
        ({"topics": ["x"], "trigger": True, "url": "http://x"}, "expected mqtt://host:port"),
        ({"topics": ["x"], "trigger": True, "key": "k.pem"}, "key: a key is of no use without"),
        ({"topics": ["x"], "trigger": True, "url": "mqtts://x", "ca": "/no.pem"}, "ca = '/no.pem'"),
    ],
)
def test_what_is_wrong_in_itself_is_refused(options, words):
    with pytest.raises(InputError, match=words):
        make(Mqtt, **options)


def test_an_option_that_is_for_publishing_is_none_here():
    with pytest.raises(msgspec.ValidationError, match="in_flight"):
        make(Mqtt, topics=["x"], trigger=True, in_flight=3)


def test_the_topics_are_those_of_the_channels_where_none_are_named():
    channels = {"a": {"topic": "x/a"}, "b": {"topic": "x/b"}, "c": {"topic": "x/a", "value": "c"}}
    assert make(Mqtt, channels=channels).listens == ("x/a", "x/b")


def test_a_broker_that_is_not_there_is_a_lost_source():
    url = f"mqtt://127.0.0.1:{free_port()}"
    with Reader(make(Mqtt, url=url, topics=["x"], trigger=True)) as reader:
        wait_for(lambda: reader.error)
        assert "does not listen" in reader.error


def test_a_broker_that_lets_us_read_nothing_is_told():
    broker, reports = OldBroker(), Reports()
    url = f"mqtt://127.0.0.1:{broker.port}"
    with Reader(make(Mqtt, reports, url=url, topics=["forbidden"], channels={"x": ""})):
        wait_for(lambda: "does not let this user read forbidden" in reports.now.get("listening", ""))
    broker.close()


# --- with a real broker --------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("version", [3, 5])
def test_messages_become_rows_in_the_order_in_which_they_come(mosquitto, version):
    broker = mosquitto()
    source = make(
        Mqtt, url=broker.url, version=version, topics=["line/+/data"], channels={"temp": "data.temp"}
    )
    with Reader(source) as reader:
        subscribed(broker)
        say(broker, "line/1/data", *(b'{"data": {"temp": %d}}' % n for n in range(200)))
        wait_for(lambda: len(reader.found) == 200)
        rows = reader.found
    assert all(isinstance(row, Readings) and row.channels == ("temp",) for row in rows)
    assert [row.values[0, 0] for row in rows] == list(range(200))
    assert [row.key[1] for row in rows] == list(range(200))


@pytest.mark.slow
def test_a_trigger_carries_its_context(mosquitto):
    broker = mosquitto()
    context = {"part": "$.part", "recipe": "$.recipe"}
    with Reader(make(Mqtt, url=broker.url, topics=["judge"], trigger=True, context=context)) as reader:
        subscribed(broker)
        say(broker, "judge", b'{"part": "4711", "recipe": 2}')
        wait_for(lambda: reader.found)
        (trigger,) = reader.found
    assert isinstance(trigger, Trigger)
    assert trigger.context == {"part": "4711", "recipe": "2"}


@pytest.mark.slow
@pytest.mark.parametrize("version", [3, 5])
@pytest.mark.parametrize(
    ("options", "heard"),
    [
        ({"trigger": True, "context": {"n": ""}}, ["new"]),
        ({"trigger": True, "context": {"n": ""}, "retained": True}, ["old", "new"]),
    ],
)
def test_a_trigger_from_before_is_not_judged_unless_that_is_wanted(mosquitto, version, options, heard):
    broker = mosquitto()
    say(broker, "judge", b"old", retain=True)
    source = make(Mqtt, url=broker.url, version=version, topics=["judge"], **options)
    with Reader(source) as reader:
        subscribed(broker)
        say(broker, "judge", b"new")
        wait_for(lambda: reader.found and reader.found[-1].context == {"n": "new"})
        assert [trigger.context["n"] for trigger in reader.found] == heard


@pytest.mark.slow
def test_the_last_value_that_a_broker_kept_is_a_reading_at_once(mosquitto):
    broker = mosquitto()
    say(broker, "temp", b"21.5", retain=True)
    with Reader(make(Mqtt, url=broker.url, topics=["temp"], channels={"temp": ""})) as reader:
        wait_for(lambda: reader.found)
        assert reader.found[0].values.tolist() == [[21.5]]


@pytest.mark.slow
def test_what_says_nothing_is_counted_and_told_once_a_kind_and_the_rest_goes_on(mosquitto):
    broker, reports = mosquitto(), Reports()
    source = make(Mqtt, reports, url=broker.url, topics=["t"], channels={"x": "x"})
    with Reader(source) as reader:
        subscribed(broker)
        say(broker, "t", b"no", b"neither", b'{"x": "warm"}', b'{"x": 1}')
        wait_for(lambda: reader.found)
    assert source._place.meters.counters == {"bad.json": 2, "bad.number": 1}
    told = [text for topic, text in reports.said if topic == "payload"]
    assert len(told) == 2
    assert "'no'" in told[-1]
    assert "'warm'" in told[-1]


@pytest.mark.slow
def test_a_broker_that_goes_is_a_loss_and_the_first_row_after_it_tells_of_a_gap(mosquitto):
    broker = mosquitto()
    source = make(Mqtt, url=broker.url, topics=["t"], channels={"x": ""})
    with Reader(source) as reader:
        subscribed(broker)
        say(broker, "t", b"1", b"2")
        wait_for(lambda: len(reader.found) == 2)
        broker.kill()
        wait_for(lambda: reader.error)
        assert "is gone" in reader.error
        assert [row.gap_before for row in reader.found] == [False, False]
    broker.start()
    with Reader(source) as reader:
        subscribed(broker, 2)
        say(broker, "t", b"3")
        wait_for(lambda: reader.found)
        assert reader.found[0].gap_before


@pytest.mark.slow
def test_the_second_broker_stands_in_for_one_that_is_away(mosquitto):
    broker = mosquitto()
    urls = [f"mqtt://127.0.0.1:{free_port()}", broker.url]
    with Reader(make(Mqtt, urls=urls, topics=["t"], channels={"x": ""})) as reader:
        subscribed(broker)
        say(broker, "t", b"1")
        wait_for(lambda: reader.found)


@pytest.mark.slow
def test_a_stop_ends_it(mosquitto):
    broker = mosquitto()
    with Reader(make(Mqtt, url=broker.url, topics=["t"], trigger=True)) as reader:
        subscribed(broker)
    assert not reader.thread.is_alive()
    assert reader.error is None
