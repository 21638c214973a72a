"""The bounds of the server, against clients that mean no good."""

from __future__ import annotations

import socket
import ssl
import subprocess
import urllib.request
from contextlib import ExitStack, contextmanager
from threading import Event, Thread

import pytest

from edgeinfer.web import server as module
from edgeinfer.web.server import MOST, Server, tls_of
from tests.waiting import wait_for


def app(_environ, start):
    start("200 OK", [("Content-Type", "text/plain")])
    return [b"here"]


@contextmanager
def serving(wsgi=app, tls=None):
    stop = Event()

    def serve(server):
        while not stop.is_set():
            server.handle_request()

    with Server(("127.0.0.1", 0), wsgi, tls) as server:
        thread = Thread(target=serve, args=(server,))
        thread.start()
        try:
            yield server
        finally:
            stop.set()
            thread.join(5)


def answer(port, request=b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"):
    with socket.create_connection(("127.0.0.1", port), 10) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65_536), b""))


def test_a_request_is_answered_and_the_connection_closed():
    with serving() as server:
        assert answer(server.server_port).endswith(b"\r\n\r\nhere")


def test_it_listens_at_loopback_only():
    with serving() as server:
        assert server.socket.getsockname()[0] == "127.0.0.1"


def test_of_200_connections_at_once_some_wait_for_nothing_and_the_next_one_is_answered():
    with serving() as server, ExitStack() as stack:
        idle = [
            stack.enter_context(socket.create_connection(("127.0.0.1", server.server_port), 10))
            for _ in range(200)
        ]
        wait_for(lambda: server.refused == 200 - MOST, what="the rest is refused")
        idle[-1].settimeout(10)
        assert idle[-1].recv(100).startswith(b"HTTP/1.0 503")
        stack.close()
        wait_for(lambda: answer(server.server_port).endswith(b"here"), what="an answer again")


def test_who_drips_his_request_is_left_in_time(monkeypatch):
    monkeypatch.setattr(module, "REQUEST_S", 0.3)
    with serving() as server, socket.create_connection(("127.0.0.1", server.server_port), 10) as slow:
        gone = Event()

        def drip():
            try:
                while not gone.wait(0.05):
                    slow.sendall(b"G")
            except OSError:
                gone.set()

        Thread(target=drip, daemon=True).start()
        try:
            assert slow.recv(10) == b""
        except ConnectionResetError:
            pass
        gone.set()


def test_a_line_and_headers_without_end_are_refused():
    with serving() as server:
        assert b" 414 " in answer(server.server_port, b"GET /" + b"a" * 65_600)[:40]
        many = b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n"
        assert b" 431 " in answer(server.server_port, many)[:40]


def test_what_is_no_http_harms_nobody():
    with serving() as server:
        answer(server.server_port, b"\x16\x03\x01\x02\x00\x01\x00<script>\r\n\r\n")
        assert answer(server.server_port).endswith(b"here")


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pem")
    cert, key = folder / "cert.pem", folder / "key.pem"
    line = f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {cert}"
    subprocess.run(
        [*line.split(), "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True
    )
    return {"cert": str(cert), "key": str(key)}


def test_with_a_certificate_it_speaks_tls_alone(pem):
    trusting = ssl.create_default_context(cafile=pem["cert"])
    with serving(tls=tls_of(pem)) as server:
        with urllib.request.urlopen(
            f"https://localhost:{server.server_port}/", context=trusting, timeout=10
        ) as got:
            assert got.read() == b"here"
        try:
            assert b"here" not in answer(server.server_port)
        except ConnectionResetError:
            pass


def test_a_key_that_does_not_belong_to_the_certificate_is_an_error(pem, tmp_path):
    with pytest.raises(OSError):
        tls_of({"cert": pem["cert"], "key": pem["cert"]})
