"""A whole daemon with a page at a free port, on a belt that is rendered."""

from __future__ import annotations

import http.client
import socket
from dataclasses import dataclass
from threading import Thread

import pytest

from edgeinfer.app.blueprint import draw
from edgeinfer.app.daemon import Daemon, Setting
from edgeinfer.config import loads
from edgeinfer.web import front
from tests.waiting import wait_for

CONFIG = """
device = "press-07"

[source.belt]
kind = "synthetic"
fps = 8
seed = 3

[model.parts]
bundle = "parts-small"

[rule.in-view]
kind = "count"
labels = ["good", "scratched", "hole_missing"]
score = 0.6
zone = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]

[rule.scratched]
kind = "presence"
label = "scratched"

[pipeline.inspection]
source = "belt"
model = "parts"
rules = ["in-view", "scratched"]

[sink.out]
kind = "jsonl"
path = "{path}"

[web]
listen = "127.0.0.1:{port}"
{more}
"""


@dataclass
class Page:
    daemon: Daemon
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, path, method="GET", body=None, **headers):
        """Status, headers and body."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            client.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = client.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            client.close()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def served(folder, more=""):
    """Yields a Page whose daemon has given a picture."""
    port = free_port()
    text = CONFIG.format(port=port, path=folder / "out.jsonl", more=more)
    blueprint = draw(loads(text, "test"))
    daemon = Daemon(Setting(blueprint, lambda: blueprint, folder / "state", fronts=(front,)))
    thread = Thread(target=daemon.run)
    thread.start()
    page = Page(daemon, port)
    try:
        wait_for(lambda: "address" in daemon.health.post("web").facts, 20, "the page listens")
        wait_for(lambda: page.ask("/picture/belt")[0] == 200, 30, "a picture")
        yield page
    finally:
        daemon.stop()
        thread.join(20)
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    yield from served(tmp_path_factory.mktemp("page"))
