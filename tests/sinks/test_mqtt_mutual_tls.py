"""Client certificates against a real broker that asks for them."""

import os

import pytest

from edgeinfer.errors import InputError
from edgeinfer.events import Acked, Message
from tests.fixtures.certificates import make_certificates, make_self_signed
from tests.waiting import wait_for

# A handshake that fails leaves its socket to the garbage collector: paho does not close it.
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
ONE = [Message("t/decision/r", b"1", seq=1)]


@pytest.fixture
def authority(tmp_path):
    return make_certificates(tmp_path / "tls")


def url(broker) -> str:
    return f"mqtts://localhost:{broker.port}"


@pytest.mark.slow
def test_the_name_in_the_certificate_is_the_user(mqtt, mosquitto, authority):
    broker = mosquitto(listener=authority.mutual_listener)
    cert, key = authority.client("press-07")
    made = mqtt(url=url(broker), ca=authority.ca, cert=cert, key=key)
    assert made.sink.wait_ready(10)
    assert made.sink.send(ONE) == [Acked()]
    assert "u'press-07'" in broker.log()


@pytest.mark.slow
def test_a_missing_certificate_is_told(mqtt, mosquitto, authority):
    broker = mosquitto(listener=authority.mutual_listener)
    made = mqtt(url=url(broker), ca=authority.ca)
    assert not made.sink.wait_ready(0.3)
    wait_for(lambda: "client certificate" in made.board.now.get("broker", ""))


@pytest.mark.slow
def test_a_certificate_that_has_expired_is_told_twice(mqtt, mosquitto, authority):
    broker = mosquitto(listener=authority.mutual_listener)
    cert, key = authority.client("press-07", -1)
    made = mqtt(url=url(broker), ca=authority.ca, cert=cert, key=key)
    assert not made.sink.wait_ready(0.3)
    wait_for(lambda: "client certificate" in made.board.now.get("broker", ""))
    assert f"{cert} has expired" in made.board.now["certificate"]


@pytest.mark.slow
def test_a_certificate_of_another_authority_is_told(mqtt, mosquitto, authority, tmp_path):
    broker = mosquitto(listener=authority.mutual_listener)
    cert, key = make_certificates(tmp_path / "other").client("press-07")
    made = mqtt(url=url(broker), ca=authority.ca, cert=cert, key=key)
    assert not made.sink.wait_ready(0.3)
    wait_for(lambda: "client certificate" in made.board.now.get("broker", ""))


@pytest.mark.slow
def test_a_renewed_certificate_is_used_in_a_new_connection(mqtt, mosquitto, authority):
    broker = mosquitto(listener=authority.mutual_listener)
    cert, key = authority.client("press-07")
    made = mqtt(url=url(broker), ca=authority.ca, cert=cert, key=key)
    assert made.sink.wait_ready(10)
    for new, used in zip(authority.client("press-08"), (cert, key), strict=True):
        os.replace(new, used)
    wait_for(lambda: made.sink.session == 2, 30)
    assert made.sink.wait_ready(10)
    assert made.sink.send(ONE) == [Acked()]
    assert "u'press-08'" in broker.log()
    assert made.meters.counters == {"renewed": 1}
    assert "broker" not in made.board.now


@pytest.mark.slow
def test_half_of_a_renewal_is_told_and_the_connection_goes_on(mqtt, mosquitto, authority):
    broker = mosquitto(listener=authority.mutual_listener)
    cert, key = authority.client("press-07")
    made = mqtt(url=url(broker), ca=authority.ca, cert=cert, key=key)
    assert made.sink.wait_ready(10)
    new_cert, new_key = authority.client("press-08")
    os.replace(new_cert, cert)
    wait_for(lambda: "still in use" in made.board.now.get("certificate", ""), 20)
    assert made.sink.send(ONE) == [Acked()]
    assert made.sink.session == 1
    os.replace(new_key, key)
    wait_for(lambda: made.sink.session == 2, 30)
    assert "certificate" not in made.board.now


@pytest.mark.slow
def test_a_certificate_renewed_while_the_broker_is_away_is_taken_at_the_next_connection(
    mqtt, mosquitto, authority
):
    broker = mosquitto(listener=authority.mutual_listener)
    cert, key = authority.client("press-07")
    made = mqtt(url=url(broker), ca=authority.ca, cert=cert, key=key)
    assert made.sink.wait_ready(10)
    broker.kill()
    authority.client("press-07")
    broker.start()
    wait_for(lambda: made.sink.session == 2 and made.sink.wait_ready(0), 60)
    assert made.sink.send(ONE) == [Acked()]


@pytest.mark.slow
def test_a_broker_that_signed_itself_is_told(mqtt, mosquitto, tmp_path):
    certificates = make_self_signed(tmp_path / "tls")
    broker = mosquitto(listener=certificates.listener)
    made = mqtt(url=url(broker))
    assert not made.sink.wait_ready(0.3)
    wait_for(lambda: "is self-signed: name it" in made.board.now.get("broker", ""))
    made = mqtt(url=url(broker), ca=certificates.ca)
    assert made.sink.wait_ready(10)


def test_a_key_without_its_certificate_is_explained(mqtt, authority):
    with pytest.raises(InputError, match="key: .*cert ="):
        mqtt(url="mqtts://broker", key=authority.key)
