import os

import pytest

from edgeinfer.errors import DeliveryError
from edgeinfer.events import Acked, Message, Refused, Sent
from tests.fixtures.brokers import free_port
from tests.fixtures.certificates import make_certificates
from tests.fixtures.passwords import password_file
from tests.sinks.credentials import credentials
from tests.sinks.stub import OldBroker
from tests.waiting import wait_for


def messages(count: int, topic: str = "t/decision/r") -> list[Message]:
    return [Message(topic, str(n).encode(), seq=n) for n in range(1, count + 1)]


# --- without a broker ----------------------------------------------------------------------------------------


def test_sending_without_a_connection_says_so(mqtt):
    with pytest.raises(DeliveryError, match="not connected"):
        mqtt(url=f"mqtt://127.0.0.1:{free_port()}").sink.send(messages(1))


def test_a_broker_that_is_not_there_is_told_and_nobody_waits_for_it(mqtt):
    made = mqtt(url=f"mqtt://127.0.0.1:{free_port()}")
    assert not made.sink.wait_ready(0.01)
    wait_for(lambda: "does not listen" in made.board.now.get("broker", ""))


# --- with an old broker --------------------------------------------------------------------------------------


@pytest.mark.parametrize("polite", [True, False])
def test_a_broker_that_knows_only_3_1_1_is_served_in_3_1_1(mqtt, polite):
    broker = OldBroker(polite=polite)
    made = mqtt(url=f"mqtt://127.0.0.1:{broker.port}")
    assert made.sink.wait_ready(10)
    assert made.sink.send(messages(50)) == [Acked()] * 50
    assert broker.versions == [5, 4]
    made.sink.close()
    broker.close()


def test_a_version_that_is_written_is_not_changed(mqtt):
    broker = OldBroker()
    made = mqtt(url=f"mqtt://127.0.0.1:{broker.port}", version=5)
    assert not made.sink.wait_ready(0.3)
    assert "another version" in made.board.now["broker"]
    assert set(broker.versions) == {5}
    made.sink.close()
    broker.close()


def test_a_broker_that_acknowledges_nothing_is_cut_off(mqtt):
    broker = OldBroker(acknowledge=False)
    made = mqtt(url=f"mqtt://127.0.0.1:{broker.port}", ack_timeout_s=0.2)
    assert made.sink.wait_ready(10)
    with pytest.raises(DeliveryError, match="acknowledged nothing"):
        made.sink.send(messages(1))
    made.sink.close()
    broker.close()


def test_a_broker_that_lets_the_device_read_nothing_is_told_and_delivers_all_the_same(mqtt):
    broker = OldBroker()
    made = mqtt(url=f"mqtt://127.0.0.1:{broker.port}", listens=("homeassistant/status",))
    assert made.sink.wait_ready(10)
    wait_for(
        lambda: "does not let this user read homeassistant/status" in made.board.now.get("listening", "")
    )
    assert made.sink.send(messages(3)) == [Acked()] * 3
    made.sink.close()
    broker.close()


# --- with a real broker --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_many_messages_arrive_in_order(mqtt, mosquitto, subscriber):
    broker = mosquitto()
    seen, made = subscriber(broker, "t/#"), mqtt(url=broker.url)
    assert made.sink.wait_ready(10)
    assert made.sink.send(messages(2000)) == [Acked()] * 2000
    arrived = seen.wait_for(lambda m: len(m) == 2000)
    assert [int(m.payload) for m in arrived] == list(range(1, 2001))


@pytest.mark.slow
def test_qos_0_is_settled_once_it_left(mqtt, mosquitto):
    made = mqtt(url=mosquitto().url)
    assert made.sink.wait_ready(10)
    assert made.sink.send([Message("t/heartbeat", b"1", qos=0)] * 100) == [Sent()] * 100


@pytest.mark.slow
def test_a_topic_that_the_broker_forbids_is_refused_and_told(mqtt, mosquitto, tmp_path):
    (tmp_path / "acl").write_text("topic readwrite t/allowed\n")
    broker = mosquitto(f"acl_file {tmp_path / 'acl'}")
    made = mqtt(url=broker.url)
    assert made.sink.wait_ready(10)
    outcomes = made.sink.send([*messages(1, "t/forbidden"), *messages(1, "t/allowed")])
    assert isinstance(outcomes[0], Refused)
    assert outcomes[1] == Acked()
    assert "t/forbidden" in made.board.now["refused"]


@pytest.mark.slow
def test_a_message_that_can_never_be_sent_is_refused_at_once(mqtt, mosquitto):
    broker = mosquitto("max_packet_size 1000")
    made = mqtt(url=broker.url)
    assert made.sink.wait_ready(10)
    large = Message("t/a", b"x" * 2000, seq=1)
    outcomes = made.sink.send([large, *messages(1), Message("t/+", b"", seq=2)])
    assert [type(outcome) for outcome in outcomes] == [Refused, Acked, Refused]


@pytest.mark.slow
def test_a_wrong_password_is_told_and_tried_again(mqtt, mosquitto, tmp_path):
    passwords = password_file(tmp_path, {"press": "right"})
    broker = mosquitto(f"allow_anonymous false\npassword_file {passwords}")
    file = credentials(tmp_path, "press\nwrong\n")
    made = mqtt(url=broker.url, credentials_file=file)
    assert not made.sink.wait_ready(0.3)
    wait_for(lambda: file in made.board.now.get("broker", ""))
    credentials(tmp_path, "press\nright\n")
    assert made.sink.wait_ready(20)
    assert "broker" not in made.board.now


@pytest.mark.slow
@pytest.mark.parametrize("version", [3, 5])
def test_missing_credentials_are_told_in_both_versions(mqtt, mosquitto, tmp_path, version):
    passwords = password_file(tmp_path, {"press": "right"})
    broker = mosquitto(f"allow_anonymous false\npassword_file {passwords}")
    made = mqtt(url=broker.url, version=version)
    assert not made.sink.wait_ready(0.3)
    wait_for(lambda: "none is given" in made.board.now.get("broker", ""))


@pytest.mark.slow
def test_tls_with_an_authority_of_ones_own(mqtt, mosquitto, subscriber, tmp_path):
    certificates = make_certificates(tmp_path / "tls")
    broker = mosquitto(listener=certificates.listener)
    made = mqtt(url=f"mqtts://localhost:{broker.port}", ca=certificates.ca)
    assert made.sink.wait_ready(10)
    assert made.sink.send(messages(300)) == [Acked()] * 300


# A handshake that fails leaves its socket to the garbage collector: paho does not close it.
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
@pytest.mark.parametrize(
    ("names", "days", "give_ca", "words"),
    [
        ("DNS:other.example", 30, True, "another name"),
        ("DNS:localhost", -1, True, "has expired"),
        ("DNS:localhost", 30, False, "ca ="),
    ],
)
def test_a_certificate_that_does_not_match_is_told(mqtt, mosquitto, tmp_path, names, days, give_ca, words):
    certificates = make_certificates(tmp_path / "tls", names, days)
    broker = mosquitto(listener=certificates.listener)
    made = mqtt(url=f"mqtts://localhost:{broker.port}", ca=certificates.ca if give_ca else "")
    assert not made.sink.wait_ready(0.3)
    wait_for(lambda: words in made.board.now.get("broker", ""))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_tls_on_a_plain_port_is_told(mqtt, mosquitto):
    made = mqtt(url=f"mqtts://localhost:{mosquitto().port}")
    assert not made.sink.wait_ready(0.3)
    wait_for(lambda: "broker" in made.board.now)


@pytest.mark.slow
def test_two_clients_of_one_id_are_told(mqtt, mosquitto):
    broker = mosquitto()
    first, second = (mqtt(url=broker.url, client_id="same") for _ in range(2))
    assert first.sink.wait_ready(10)
    assert second.sink.wait_ready(10)
    said = lambda: [text or "" for _, text in [*first.board.said, *second.board.said]]
    wait_for(lambda: any("client uses the client id 'same'" in text for text in said()), 30)


@pytest.mark.slow
def test_a_broker_that_comes_back_is_a_new_session(mqtt, mosquitto):
    broker = mosquitto()
    made = mqtt(url=broker.url)
    assert made.sink.wait_ready(10)
    broker.kill()
    wait_for(lambda: not made.sink.wait_ready(0))
    wait_for(lambda: "broker" in made.board.now)
    broker.start()
    assert made.sink.wait_ready(20)
    assert made.sink.session == 2
    assert made.sink.send(messages(1)) == [Acked()]


@pytest.mark.slow
def test_a_frozen_broker_is_cut_off_and_used_again_once_it_wakes(mqtt, mosquitto):
    broker = mosquitto()
    made = mqtt(url=broker.url, ack_timeout_s=0.5)
    assert made.sink.wait_ready(10)
    broker.freeze()
    with pytest.raises(DeliveryError, match="acknowledged nothing"):
        made.sink.send(messages(10))
    broker.thaw()
    assert made.sink.wait_ready(30)
    assert made.sink.send(messages(10)) == [Acked()] * 10


@pytest.mark.slow
def test_closing_does_not_wait_for_a_frozen_broker(mqtt, mosquitto):
    broker = mosquitto()
    made = mqtt(url=broker.url)
    assert made.sink.wait_ready(10)
    broker.freeze()
    made.sink.close()
    assert not made.sink.wait_ready(0)


@pytest.mark.slow
def test_the_last_will_fires_when_the_connection_breaks(mqtt, mosquitto, subscriber):
    broker = mosquitto()
    seen, made = subscriber(broker, "t/status"), mqtt(url=broker.url)
    assert made.sink.wait_ready(10)
    made.sink._link.kill("as a test")
    assert seen.wait_for(lambda m: len(m) == 1)[0].payload == b"offline"


@pytest.mark.slow
def test_the_user_of_a_file_with_windows_line_ends_is_understood(mqtt, mosquitto, tmp_path):
    passwords = password_file(tmp_path, {"press": "right"})
    broker = mosquitto(f"allow_anonymous false\npassword_file {passwords}")
    made = mqtt(url=broker.url, credentials_file=credentials(tmp_path, f"press{os.linesep}right\r\n"))
    assert made.sink.wait_ready(10)
