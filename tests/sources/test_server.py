import socket
from contextlib import contextmanager
from threading import Thread

import pytest

from edgeinfer.sources.server import unreachable, why_closed
from tests.fixtures.cameras import free_port


@contextmanager
def listener(answer: bytes | None):
    """Takes one connection after another and gives `answer` to each question; None stays silent."""
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                heard.append(connection.recv(1000))
                connection.sendall(answer or b"")
                connection.close()

        if answer is not None:
            Thread(target=serve, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}", heard
        server.shutdown(socket.SHUT_RDWR)


def test_a_port_where_nothing_listens_is_refused():
    assert "nothing listens there" in unreachable(f"rtsp://127.0.0.1:{free_port()}/cam", 1.0)


def test_a_host_that_nobody_knows_is_named():
    assert "the host name 'cam.invalid' is not known" in unreachable("rtsp://cam.invalid/x", 1.0)


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_takes_the_connection_and_says_nothing_is_unreachable(scheme):
    with listener(None) as (address, _):
        assert unreachable(f"{scheme}://{address}/cam", 0.4).endswith("does not answer")


def test_a_tls_port_that_takes_the_connection_is_reachable():
    with listener(None) as (address, _):
        assert unreachable(f"rtsps://{address}/cam", 1.0) is None


@pytest.mark.parametrize("answer", [b"RTSP/1.0 200 OK\r\n\r\n", b"RTSP/1.0 401 No\r\n\r\n", b"SSH-2.0\r\n"])
def test_any_answer_is_reachable(answer):
    with listener(answer) as (address, _):
        assert unreachable(f"rtsp://{address}/cam", 1.0) is None


@pytest.mark.parametrize(
    ("status", "credentials", "words", "streams"),
    [
        (401, False, "give credentials_file", False),
        (401, True, "does not take the user or password", True),
        (404, False, "no stream of that name", False),
        (503, False, "error 503", False),
        (200, False, "no picture that OpenCV can read", True),
    ],
)
def test_each_answer_has_its_meaning(status, credentials, words, streams):
    with listener(f"RTSP/1.0 {status} Because\r\n\r\n".encode()) as (address, _):
        found = why_closed(f"rtsp://{address}/cam", 1.0, credentials=credentials)
    assert words in found.text
    assert found.streams == streams


def test_the_question_is_for_the_stream_itself_and_holds_no_user():
    with listener(b"HTTP/1.0 404 None\r\n\r\n") as (address, heard):
        why_closed(f"http://{{user}}:{{password}}@{address}/cam?n=1", 1.0, credentials=True)
    assert heard[0].startswith(b"GET /cam?n=1 HTTP/1.0\r\nHost: 127.0.0.1:")
    assert b"user" not in heard[0]
