"""The page as a post of the daemon: a token at every address, and a port that somebody else has."""

from __future__ import annotations

import socket
from threading import Thread

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.config import loads
from edgeinfer.web import front
from tests.waiting import wait_for
from tests.web.conftest import CONFIG, Page, free_port

TOKEN = "0123456789abcdef0123"


def begin(folder, port, more=""):
    text = CONFIG.format(port=port, path=folder / "out.jsonl", more=more)
    blueprint = draw(loads(text, "test"))
    daemon = Daemon(Setting(blueprint, lambda: blueprint, folder / "state", fronts=(front,)))
    thread = Thread(target=daemon.run)
    thread.start()
    return Page(daemon, port), thread


def listens(page):
    return "address" in page.daemon.health.post("web").facts


def test_with_a_token_nothing_is_shown_to_who_has_it_not(tmp_path):
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)
    page, thread = begin(tmp_path, free_port(), f'token_file = "{token}"')
    try:
        wait_for(lambda: listens(page), 20)
        for path in ("/", "/page.js", "/api/health", "/live/belt", "/events", "/nowhere"):
            assert page.ask(path)[0] == 401
            assert page.ask(path, Authorization=f"Bearer {TOKEN[:-1]}")[0] == 401
        assert page.ask("/api/health", Authorization=f"Bearer {TOKEN}")[0] == 200
        assert TOKEN not in str(page.daemon.snapshot())
    finally:
        page.daemon.stop()
        thread.join(20)


def test_a_port_that_is_taken_is_told_and_taken_when_it_is_free(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        page, thread = begin(tmp_path, other.getsockname()[1])
        try:
            wait_for(lambda: "cannot listen" in page.daemon.health.post("web").reason, 20)
            assert "source.belt" in page.daemon.snapshot()["posts"]
            other.close()
            wait_for(lambda: listens(page), 30, "the page listens")
        finally:
            page.daemon.stop()
            thread.join(20)


@pytest.mark.parametrize("more", ["", "fps = 2\n"])
def test_without_listen_there_is_no_post(tmp_path, more):
    text = CONFIG.format(port=1, path=tmp_path / "out.jsonl", more=more).replace('listen = "127.0.0.1:1"', "")
    blueprint = draw(loads(text, "test"))
    assert front(blueprint, None) == {}
