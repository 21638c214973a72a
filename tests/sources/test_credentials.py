import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.sources.credentials import Credentials, holds_secret, read_credentials, redact


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "camera"
    path.write_text("me:pass:word\n")
    path.chmod(0o600)
    return path


def test_one_line_is_split_at_the_first_colon(secret):
    found = read_credentials(str(secret))
    assert (found.user, found.password) == ("me", "pass:word")


def test_two_lines_are_user_and_password(secret):
    secret.write_text("me\n: odd one\n")
    assert read_credentials(str(secret)).password == ": odd one"


@pytest.mark.parametrize("text", ["", "onlyuser", "a\nb\nc", ":nouser"])
def test_other_content_is_refused_without_showing_it(secret, text):
    secret.write_text(text)
    with pytest.raises(InputError, match="expected user:password") as caught:
        read_credentials(str(secret))
    assert not text.strip() or text not in str(caught.value)


def test_binary_content_is_refused(secret):
    secret.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_credentials(str(secret))


def test_a_missing_file_says_what_to_write_into_it(tmp_path):
    with pytest.raises(InputError, match="there is no file .*write user:password into it"):
        read_credentials(str(tmp_path / "none"))


def test_a_folder_is_refused(tmp_path):
    tmp_path.chmod(0o700)
    with pytest.raises(InputError, match="cannot read .*directory"):
        read_credentials(str(tmp_path))


def test_a_file_that_everybody_may_read_is_refused_with_the_command_that_mends_it(secret):
    os.chmod(secret, 0o644)
    with pytest.raises(InputError, match="chmod 640"):
        read_credentials(str(secret))


def test_repr_shows_neither():
    assert repr(Credentials("alice", "hunter2")) == "Credentials()"


def test_both_are_quoted_into_the_url():
    filled = Credentials("me", "p@ss/w?rd").fill("rtsp://10.0.0.7:554/a?b=1")
    assert filled == "rtsp://me:p%40ss%2Fw%3Frd@10.0.0.7:554/a?b=1"


def test_placeholders_put_them_elsewhere():
    filled = Credentials("me", "x y").fill("rtsp://10.0.0.7/user={user}&password={password}&channel=1")
    assert filled == "rtsp://10.0.0.7/user=me&password=x%20y&channel=1"


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://me:pw@10.0.0.7/a",
        "http://me@cam/a",
        "rtsp://cam/user=me&password=pw",
        "http://cam/video?Pwd=pw",
        "rtsp://me:p/w@cam",
    ],
)
def test_a_secret_in_a_url_is_seen(url):
    assert holds_secret(url)
    assert "pw" not in redact(url)
    assert "p/w" not in redact(url)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://cam/a@b",
        "rtsp://cam:554/a@b",
        "rtsp://{user}:{password}@cam/",
        "rtsp://cam/user={user}&password={password}",
    ],
)
def test_urls_without_one_pass(url):
    assert not holds_secret(url)


@given(
    st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=6),
    st.text(min_size=6).filter(lambda s: s.strip("*/@:?=& \n")),
)
def test_what_was_filled_in_can_be_redacted(user, password):
    filled = Credentials(user, password).fill("rtsp://cam.lan:8554/stream")
    assert redact(f"cannot open {filled}: refused") == "cannot open rtsp://***@cam.lan:8554/stream: refused"
