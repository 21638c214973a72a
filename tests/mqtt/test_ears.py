import pytest

from edgeinfer.events import Message
from edgeinfer.meters import Meters
from edgeinfer.ports import SinkPlace, no_will
from edgeinfer.sinks.mqtt import Mqtt
from tests.runtime.decisions import Board
from tests.sinks.stub import OldBroker
from tests.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def listening():
    """`listening(url, version)`: a sink that takes commands below t/command and listens to t/in; its letters, its news."""
    made = []

    def make(url, version=0):
        letters, news, board = [], [], Board()
        place = SinkPlace(
            "plant", "press-07", "m", no_will, board, ("t/in",), lambda *said: news.append(said), Meters(),
            ("t/command/+",), letters.append,
        )  # fmt: skip
        made.append(Mqtt(Mqtt.Options(url=url, version=version), place))
        assert made[-1].wait_ready(10)
        return letters, news, board

    yield make
    for sink in made:
        sink.close()


@pytest.mark.parametrize("version", [3, 5])
def test_commands_and_what_the_encoder_wants_go_different_ways(listening, mosquitto, commander, version):
    broker = mosquitto()
    letters, news, _ = listening(broker.url, version)
    wait_for(lambda: "t/command/+ (QoS 1)" in broker.log())
    room = commander(broker, "t", version)
    room.send("pause", b"{}")
    room._client.publish("t/in", b"hello", 1).wait_for_publish(10)
    wait_for(lambda: letters and news)
    assert (letters[0].topic, letters[0].payload, letters[0].retain) == ("t/command/pause", b"{}", False)
    assert news == [("t/in", b"hello")]


def test_with_version_5_it_hears_what_stands_beside_the_payload(listening, mosquitto, commander):
    broker = mosquitto()
    letters, _, _ = listening(broker.url, 5)
    wait_for(lambda: "t/command/+ (QoS 1)" in broker.log())
    room = commander(broker, "t", 5)
    room.send("pause", b"{}", ask_here=True, expires_s=90, retain=True)
    wait_for(lambda: letters)
    assert letters[0].response_topic == "answers/room"
    assert letters[0].correlation == b"mine"
    assert 0 < letters[0].expires_in_s <= 90
    assert letters[0].retain  # said of a live message, too


def test_a_broker_that_does_not_let_it_listen_is_told_with_all_topics(listening):
    broker = OldBroker()
    _, _, board = listening(f"mqtt://127.0.0.1:{broker.port}")
    wait_for(lambda: "does not let this user read t/in, t/command/+" in board.now.get("listening", ""))
    broker.close()


def test_correlation_data_reach_who_asked(mosquitto, subscriber):
    broker = mosquitto()
    seen = subscriber(broker, "answers/#", version=5)
    sink = Mqtt(Mqtt.Options(url=broker.url, version=5), SinkPlace("plant", "d", "m", no_will, Board()))
    assert sink.wait_ready(10)
    sink.send([Message("answers/room", b"{}", correlation=b"\x00mine")])
    [message] = seen.wait_for(lambda m: len(m) == 1)
    assert message.properties.CorrelationData == b"\x00mine"
    sink.close()
