"""Who may ask the page what."""

from __future__ import annotations

from base64 import b64encode

import pytest

from edgeinfer.web.guard import HEADERS, MOST_BYTES, Guard

TOKEN = "0123456789abcdef0123"
ASKED = {"REQUEST_METHOD": "GET", "HTTP_HOST": "127.0.0.1:8088"}
GIVEN = ASKED | {
    "REQUEST_METHOD": "POST",
    "HTTP_ORIGIN": "http://127.0.0.1:8088",
    "HTTP_X_EDGEINFER": "1",
    "CONTENT_TYPE": "application/json",
    "CONTENT_LENGTH": "20",
}


def app(_environ, start):
    start("200 OK", [("Content-Type", "text/plain"), ("Cache-Control", "max-age=1")])
    return [b"seen"]


def guard(token="", scheme="http"):
    return Guard(app, token, frozenset({"localhost", "press-07.local"}), scheme)


def status(environ, token="", scheme="http"):
    refusal = guard(token, scheme).refusal(environ)
    return 200 if refusal is None else int(refusal.status[:3])


def basic(password, user="anyone"):
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost:99", "[::1]:8088", "10.0.0.7:8088", "Press-07.local."]
)
def test_the_device_answers_to_its_names_and_addresses(host):
    assert status(ASKED | {"HTTP_HOST": host}) == 200


@pytest.mark.parametrize(
    "host", ["", "evil.example", "127.0.0.1.evil.example", "[::1", "localhost.evil.example:8088"]
)
def test_a_name_that_somebody_else_points_here_is_refused(host):
    assert status(ASKED | {"HTTP_HOST": host}) == 421


@pytest.mark.parametrize("given", [basic(TOKEN), f"Bearer {TOKEN}", basic(TOKEN, "")])
def test_the_token_opens(given):
    assert status(ASKED | {"HTTP_AUTHORIZATION": given}, TOKEN) == 200


@pytest.mark.parametrize(
    "given",
    [
        "",
        basic("wrong"),
        basic(""),
        "Basic !!",
        "Basic /w==",
        f"Digest {TOKEN}",
        f"Bearer {TOKEN}0",
        "Bearer é",
    ],
)
def test_nothing_else_opens(given):
    assert status(ASKED | {"HTTP_AUTHORIZATION": given}, TOKEN) == 401


def test_a_browser_is_asked_for_the_token():
    told = {}
    guard(TOKEN)(ASKED, lambda status, headers: told.update(headers, status=status))
    assert told["WWW-Authenticate"].startswith("Basic ")


def test_a_command_from_the_page_itself_passes():
    assert status(GIVEN) == 200


@pytest.mark.parametrize(
    "other",
    [
        {"HTTP_ORIGIN": "http://evil.example"},
        {"HTTP_ORIGIN": "https://127.0.0.1:8088"},
        {"HTTP_ORIGIN": "http://127.0.0.1:9000"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_X_EDGEINFER": ""},
        {"CONTENT_TYPE": "text/plain"},
        {"CONTENT_TYPE": "application/x-www-form-urlencoded"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_SEC_FETCH_MODE": "navigate"},
    ],
)
def test_a_command_from_another_page_is_refused(other):
    assert status(GIVEN | other) == 403


def test_another_page_may_link_here_and_may_not_show_our_pictures():
    foreign = ASKED | {"HTTP_SEC_FETCH_SITE": "cross-site"}
    assert status(foreign | {"HTTP_SEC_FETCH_MODE": "no-cors"}) == 403
    assert status(foreign | {"HTTP_SEC_FETCH_MODE": "navigate"}) == 200


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({"CONTENT_LENGTH": str(MOST_BYTES)}, 200),
        ({"CONTENT_LENGTH": str(MOST_BYTES + 1)}, 413),
        ({"CONTENT_LENGTH": "9" * 5000}, 413),
        ({"CONTENT_LENGTH": "-1"}, 400),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        ({"REQUEST_METHOD": "DELETE"}, 405),
    ],
)
def test_a_body_is_small_and_says_how_small(more, found):
    assert status(GIVEN | more) == found


def test_each_answer_carries_the_policy_and_keeps_headers_of_its_own():
    told = []
    assert list(guard()(ASKED, lambda _status, headers: told.extend(headers))) == [b"seen"]
    assert dict(told)["Cache-Control"] == "max-age=1"
    assert [name for name, _ in HEADERS if name not in dict(told)] == []
    assert len(dict(told)) == len(told)
