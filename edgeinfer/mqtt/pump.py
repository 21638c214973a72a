"""Reads and writes for one client of paho, by whoever has the turn: who delivers, else a thread of its own.

paho's own thread costs more than the rest of a delivery: each packet wakes it through a pair of sockets, and each
acknowledgement changes threads twice (measured: 50 instead of 29 us of CPU for a message of QoS 1). So who delivers reads
the acknowledgements itself, by paho's functions for foreign loops, and a thread sees to what comes in between.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import time
from collections.abc import Iterator
from threading import Event, Lock, Thread

from paho.mqtt.client import Client

_LOOK_S = 1.0  # how often the keepalive is looked at


class Pump:
    """`turn` and `once` may be used by any thread; the thread of its own begins with `start`."""

    def __init__(self, client: Client) -> None:
        self._client, self._turn, self._ended = client, Lock(), Event()
        self._looked_s = 0.0
        self._thread: Thread | None = None

    def start(self, name: str) -> None:
        self._thread = Thread(target=self._keep, name=name, daemon=True)
        self._thread.start()

    @contextlib.contextmanager
    def turn(self, timeout_s: float = -1) -> Iterator[bool]:
        """Alone with the client; gives False when that was not to be had in time."""
        had = self._turn.acquire(timeout=timeout_s)
        try:
            yield had
        finally:
            if had:
                self._turn.release()

    def once(self, timeout_s: float) -> None:
        """Waits at most so long for the network, and does what is due; only for who has the turn.

        paho's callbacks are called from here. When the connection ended, this returns at once.
        """
        client = self._client
        sock = client.socket()
        if sock is None:
            return
        ready = _ready(sock, timeout_s, writing=client.want_write())
        if ready & ~select.POLLOUT:
            client.loop_read()
        if client.want_write():
            client.loop_write()
        if time.monotonic() - self._looked_s > _LOOK_S:
            self._looked_s = time.monotonic()
            client.loop_misc()

    def stop(self) -> None:
        """Ends the thread; it may be in the middle of a wait of a second when nothing wakes it."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(2 * _LOOK_S)

    def _keep(self) -> None:
        while not self._ended.is_set() and (sock := self._client.socket()) is not None:
            with contextlib.suppress(OSError, ValueError):  # closed by the other thread at this moment
                _ready(sock, _LOOK_S, writing=self._client.want_write())
            with self.turn():
                if not self._ended.is_set():
                    self.once(0)


def _ready(sock: object, timeout_s: float, *, writing: bool) -> int:
    """What `poll` says of it; TLS may hold bytes that the kernel has given out already."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return select.POLLIN
    if not isinstance(sock, socket.socket) or sock.fileno() < 0:
        return select.POLLHUP
    poll = select.poll()
    poll.register(sock, select.POLLIN | (select.POLLOUT if writing else 0))
    found = poll.poll(max(timeout_s, 0.0) * 1000)
    return found[0][1] if found else 0
