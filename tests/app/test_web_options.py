"""What `[web]` may say, and what is refused because it would open the device to others."""

from __future__ import annotations

import pytest

from edgeinfer.app.web_options import check_web
from edgeinfer.config import loads


def told(text):
    problems = []
    options = check_web(loads(f'device = "a"\n[web]\n{text}', "c.toml", problems=[]).one("web"), problems)
    return options, "\n".join(map(str, problems))


def private(path, text):
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_without_listen_there_is_no_page():
    assert told("")[0].listen == ""


@pytest.mark.parametrize(
    ("listen", "place"), [("127.0.0.1:80", ("127.0.0.1", 80)), ("[::1]:8088", ("::1", 8088))]
)
def test_loopback_needs_nothing_else(listen, place):
    options, problems = told(f'listen = "{listen}"')
    assert problems == ""
    assert options.place == place


@pytest.mark.parametrize(
    "listen", ["8088", "localhost:8088", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1"]
)
def test_what_is_no_address_and_port_is_refused_with_an_example(listen):
    assert '"127.0.0.1:8088"' in told(f'listen = "{listen}"')[1]


def test_an_address_that_others_reach_needs_token_and_tls(tmp_path):
    token = private(tmp_path / "token", "0123456789abcdef\n")
    cert, key = (
        private(tmp_path / "c", "-----BEGIN CERTIFICATE-----"),
        private(tmp_path / "k", "-----BEGIN KEY-----"),
    )
    outside = 'listen = "0.0.0.0:8088"\n'
    assert "needs token_file" in told(outside)[1]
    assert "needs cert" in told(f'{outside}token_file = "{token}"')[1]
    assert told(f'{outside}token_file = "{token}"\ncert = "{cert}"\nkey = "{key}"')[1] == ""


def test_cert_and_key_go_together():
    assert "go together" in told('listen = "127.0.0.1:1"\ncert = "x"')[1]


@pytest.mark.parametrize("text", ["short", "", "two words of more than 16"])
def test_a_token_that_can_be_guessed_is_refused(tmp_path, text):
    token = private(tmp_path / "token", text)
    assert "openssl rand" in told(f'listen = "127.0.0.1:1"\ntoken_file = "{token}"')[1]


def test_a_token_that_everybody_can_read_is_refused(tmp_path):
    token = private(tmp_path / "token", "0123456789abcdef")
    token.chmod(0o644)
    assert "token_file" in told(f'listen = "127.0.0.1:1"\ntoken_file = "{token}"')[1]


def test_files_that_are_no_pem_are_told_with_their_key(tmp_path):
    wrong = private(tmp_path / "c", "hello")
    assert "web.cert" in told(f'listen = "127.0.0.1:1"\ncert = "{wrong}"\nkey = "{wrong}"')[1]
