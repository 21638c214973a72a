import socket
import ssl

import pytest

from edgeinfer.mqtt.words import Words

WORDS = Words("broker.lan", 8883, "press-07-abc-plant", "/etc/edgeinfer/plant")


def refused_certificate(code: int, message: str = "") -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, message
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(), "does not listen"),
        (TimeoutError(), "does not answer"),
        (socket.gaierror(-2, "Name or service not known"), "no broker named 'broker.lan'"),
        (OSError(113, "No route to host"), "No route to host"),
        (ssl.SSLError(1, "WRONG_VERSION_NUMBER"), "needs its TLS port"),
        (ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED]"), "wants a client certificate"),
        (ssl.SSLError(1, "[SSL: SSLV3_ALERT_CERTIFICATE_EXPIRED]"), "look at cert and key"),
        (refused_certificate(10), "has expired"),
        (refused_certificate(9), "clock right"),
        (refused_certificate(18), "self-signed"),
        (refused_certificate(20), "ca ="),
        (refused_certificate(62), "another name"),
        (refused_certificate(99, "something new"), "something new"),
    ],
)
def test_an_error_says_what_to_do(error, words):
    assert words in WORDS.error(error)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x86, "/etc/edgeinfer/plant"),
        (0x87, "/etc/edgeinfer/plant"),
        (0x8E, "another client uses the client id 'press-07-abc-plant'"),
        (0xA0, "says: Maximum connect time"),
    ],
)
def test_a_reason_code_says_what_to_do(code, words):
    assert words in WORDS.reason(code, "Maximum connect time")


def test_missing_credentials_are_named_as_such():
    assert "none is given" in Words("b", 1, "c", "").reason(0x87, "Not authorized")


def test_every_sentence_can_be_filled():
    for code in range(0x80, 0x100):
        assert "{" not in WORDS.reason(code, "name").replace("{topic}", "")


def test_a_broker_that_closes_may_want_a_certificate_only_where_there_is_tls():
    assert "client certificate" in WORDS.closed(tls=True)
    assert "client certificate" not in WORDS.closed(tls=False)
