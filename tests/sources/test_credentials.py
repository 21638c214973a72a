import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.secrets import Login
from edgeinfer.sources.credentials import fill, holds_secret, redact


def test_both_are_quoted_into_the_url():
    filled = fill("rtsp://10.0.0.7:554/a?b=1", Login("me", "p@ss/w?rd"))
    assert filled == "rtsp://me:p%40ss%2Fw%3Frd@10.0.0.7:554/a?b=1"


def test_placeholders_put_them_elsewhere():
    filled = fill("rtsp://10.0.0.7/user={user}&password={password}&channel=1", Login("me", "x y"))
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
    filled = fill("rtsp://cam.lan:8554/stream", Login(user, password))
    assert redact(f"cannot open {filled}: refused") == "cannot open rtsp://***@cam.lan:8554/stream: refused"
