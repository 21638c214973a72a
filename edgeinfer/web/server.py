"""The standard library's WSGI server with bounds: so many connections, so long for a request; knows no page."""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import ssl
import time
from collections.abc import Mapping
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore
from typing import Any
from wsgiref.simple_server import ServerHandler, WSGIRequestHandler, WSGIServer

from edgeinfer.web.guard import Wsgi

log = logging.getLogger(__name__)

MOST = 24  # connections: a page takes two streams and a request now and then
REQUEST_S = 5.0  # for TLS and the whole request, however slowly it drips
WRITE_S = 5.0  # for each piece of an answer
_FULL = b"HTTP/1.0 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n"


class _Patient(io.RawIOBase):
    """What the client says, until `end` (monotonic, s); then TimeoutError."""

    def __init__(self, client: socket.socket, end: float) -> None:
        self._client, self._end = client, end

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        left_s = self._end - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._client.settimeout(left_s)
        return self._client.recv_into(buffer)


class _Answer(ServerHandler):
    """One answer; who left in the middle is no error."""

    def log_exception(self, exc_info: Any) -> None:
        log.debug("an answer of the page broke off", exc_info=exc_info)


class _Request(WSGIRequestHandler):
    """One request a connection (HTTP/1.0), so that nobody holds a place for nothing."""

    server_version, sys_version = "edgeinfer", ""

    def setup(self) -> None:
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(_Patient(self.connection, time.monotonic() + REQUEST_S))

    def handle(self) -> None:
        self.raw_requestline = self.rfile.readline(65_537)
        if len(self.raw_requestline) > 65_536:
            self.requestline = self.request_version = self.command = ""
            self.send_error(414)
            return
        if not self.parse_request():
            return
        self.connection.settimeout(WRITE_S)
        environ = self.get_environ()
        answer = _Answer(self.rfile, self.wfile, self.get_stderr(), environ, multithread=True)  # type: ignore[arg-type]  # typeshed wants BufferedReader
        answer.request_handler = self  # type: ignore[attr-defined]  # as wsgiref does; its log uses it
        answer.run(self.server.get_app())  # type: ignore[attr-defined]  # it is a WSGIServer

    def address_string(self) -> str:
        return str(self.client_address[0])

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is http.server's
        log.debug("%s: %s", self.address_string(), format % args)


class Server(ThreadingMixIn, WSGIServer):
    """Bound and listening once it is constructed; a thread each connection, at most `MOST`, the rest is told 503.

    Raises:
        OSError: the address cannot be had now.
    """

    daemon_threads, block_on_close = True, False
    request_queue_size = 64
    timeout = 0.5

    def __init__(self, place: tuple[str, int], app: Wsgi, tls: ssl.SSLContext | None = None) -> None:
        self.address_family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
        self._tls, self._room = tls, BoundedSemaphore(MOST)
        self.refused = 0
        super().__init__(place, _Request)
        self.set_app(app)

    def server_bind(self) -> None:
        """Without asking a name server who we are, as http.server does."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address[0], self.server_address[1]  # type: ignore[assignment]
        self.setup_environ()

    def setup_environ(self) -> None:
        super().setup_environ()
        if self._tls is not None:
            self.base_environ["HTTPS"] = "on"  # wsgiref takes the scheme from it

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._room.acquire(blocking=False):
            super().process_request(request, client_address)
            return
        self.refused += 1
        if self._tls is None:
            with contextlib.suppress(OSError):
                request.setblocking(False)
                request.send(_FULL)
        self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def finish_request(self, request: Any, client_address: Any) -> None:
        request.settimeout(REQUEST_S)
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        with self._tls.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002  socketserver's signature
        """Called in the `except` of a connection: who dripped too slowly, left, or speaks no TLS."""
        log.debug("%s: no whole request", client_address[0], exc_info=True)  # noqa: LOG014  as said above


def tls_of(files: Mapping[str, str]) -> ssl.SSLContext | None:
    """For `cert` and `key` in PEM; None where they are empty.

    Raises:
        OSError: they cannot be read, or do not belong together (ssl.SSLError is one).
    """
    if not files["cert"]:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(files["cert"], files["key"])
    return context
