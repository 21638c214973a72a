import pytest

from edgeinfer.errors import InputError
from tests.sinks.credentials import credentials


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"url": "http://broker"}, "expected mqtt://"),
        ({"url": "broker:1883"}, "expected mqtt://"),
        ({"url": "mqtt://broker:port"}, "url"),
        ({"url": "mqtt://user:secret@broker"}, "credentials_file"),
        ({"topic": "a/#"}, "wildcard"),
        ({"in_flight": 0}, "in_flight"),
        ({"credentials_file": "/nowhere/at/all"}, "there is no file"),
        ({"url": "mqtts://broker", "ca": "/nowhere/at/all"}, "no such file"),
    ],
)
def test_a_wrong_option_is_explained(mqtt, options, message):
    with pytest.raises(InputError, match=message):
        mqtt(**options)


def test_a_password_in_the_url_is_not_repeated_in_the_message(mqtt):
    with pytest.raises(InputError) as error:
        mqtt(url="mqtt://user:secret@broker")
    assert "secret" not in str(error.value)


def test_credentials_that_everyone_can_read_are_refused(mqtt, tmp_path):
    with pytest.raises(InputError, match="chmod 640"):
        mqtt(credentials_file=credentials(tmp_path, "user\nsecret\n", 0o644))


def test_credentials_without_a_user_are_refused(mqtt, tmp_path):
    with pytest.raises(InputError, match="expected user:password"):
        mqtt(credentials_file=credentials(tmp_path, "\n"))


def test_a_certificate_that_is_none_is_explained(mqtt, tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(InputError, match="PEM"):
        mqtt(url="mqtts://broker", ca=str(tmp_path / "ca.pem"))
