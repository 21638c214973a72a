"""A broker that knows only MQTT 3.1.1, as far as a publisher needs one: CONNECT, PUBLISH, PING, and SUBSCRIBE,
which it refuses; in a thread."""

from __future__ import annotations

import contextlib
import socket
import threading

CONNECT, PUBLISH, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 8, 12, 14


class OldBroker:
    """`polite` answers a CONNECT of version 5 with return code 1, as 3.1.1 demands; else it just closes."""

    def __init__(self, *, polite: bool = True, acknowledge: bool = True) -> None:
        self.versions: list[int] = []
        self.published: list[str] = []
        self._polite, self._acknowledge = polite, acknowledge
        self._open: list[socket.socket] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._open.append(connection)
            with connection, contextlib.suppress(ConnectionError, EOFError):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        while True:
            kind, qos, body = _packet(connection)
            if kind == CONNECT:
                self.versions.append(body[6])
                if body[6] != 4:
                    if self._polite:
                        connection.sendall(b"\x20\x02\x00\x01")
                    return
                connection.sendall(b"\x20\x02\x00\x00")
            elif kind == PUBLISH:
                length = int.from_bytes(body[:2], "big")
                self.published.append(body[2 : 2 + length].decode())
                if qos and self._acknowledge:
                    connection.sendall(b"\x40\x02" + body[2 + length : 4 + length])
            elif kind == SUBSCRIBE:
                connection.sendall(b"\x90\x03" + body[:2] + b"\x80")  # SUBACK, failure (3.1.1, 3.9.3)
            elif kind == PINGREQ:
                connection.sendall(b"\xd0\x00")
            elif kind == DISCONNECT:
                return

    def drop(self) -> None:
        """Closes the connection that is open, as a broker does that throws a client out."""
        with contextlib.suppress(OSError):
            self._open[-1].shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Also when a client is still there: its thread would serve it for as long as it stays."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        if self._open:
            self.drop()
        self._thread.join(5)


def _packet(connection: socket.socket) -> tuple[int, int, bytes]:
    first = _exactly(connection, 1)[0]
    length, shift = 0, 0
    while True:
        digit = _exactly(connection, 1)[0]
        length |= (digit & 0x7F) << shift
        shift += 7
        if not digit & 0x80:
            break
    return first >> 4, (first >> 1) & 3, _exactly(connection, length)


def _exactly(connection: socket.socket, n: int) -> bytes:
    data = b""
    while len(data) < n:
        more = connection.recv(n - len(data))
        if not more:
            raise EOFError
        data += more
    return data
