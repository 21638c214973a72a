"""A network that can be cut, frozen, slowed down and torn: a TCP proxy between a device and its broker."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from threading import Condition, Thread
from typing import Literal

from tests.chaos.tap import Acknowledged, Tap

Mode = Literal["open", "cut", "frozen"]
"""`cut` refuses and resets; `frozen` takes connections and bytes and passes nothing on, as a half-open one does."""

_SLOW_BYTES = 512  # at once
_GARBAGE = b"\xff" * 8  # no MQTT packet begins like that


class Proxy:
    """Listens on `port` until `close`; `to` says where the broker listens now."""

    def __init__(self, to: Callable[[], int]) -> None:
        self.acknowledged = Acknowledged()
        self._to, self._wake = to, Condition()
        self._mode: Mode = "open"
        self._bytes_s = 0.0
        self._tears = self._garbles = 0
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        Thread(target=self._accept, daemon=True).start()

    # --- faults

    def cut(self) -> None:
        self._set("cut")
        self.reset()

    def freeze(self) -> None:
        """The way back drops what was frozen, as a NAT box that forgot the connection does."""
        self._set("frozen")

    def heal(self) -> None:
        was, self._bytes_s = self._mode, 0.0
        if was == "frozen":
            self.reset()
        self._set("open")

    def slow(self, bytes_s: float) -> None:
        self._bytes_s = bytes_s

    def tear(self) -> None:
        """The next bytes to the broker are cut in half, and the connection with them."""
        self._tears = 1

    def garble(self) -> None:
        """The device gets bytes that are no MQTT."""
        self._garbles = 1

    def reset(self) -> None:
        for pair in list(self._pairs):
            _reset(*pair)

    def close(self) -> None:
        self.cut()
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _set(self, mode: Mode) -> None:
        with self._wake:
            self._mode = mode
            self._wake.notify_all()

    # --- what passes

    def _accept(self) -> None:
        while True:
            try:
                device, _ = self._server.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(device,), daemon=True).start()

    def _serve(self, device: socket.socket) -> None:
        self._pass_gate()
        try:
            if self._mode == "cut":
                raise ConnectionRefusedError
            broker = socket.create_connection(("127.0.0.1", self._to()), 5)
        except OSError:
            _reset(device)
            device.close()
            return
        for end in (device, broker):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._pairs.add((device, broker))
        tap = Tap(self.acknowledged)
        up = Thread(target=self._pump, args=(device, broker, tap.to_broker, True), daemon=True)
        up.start()
        self._pump(broker, device, tap.to_device, False)
        up.join()
        self._pairs.discard((device, broker))
        device.close()
        broker.close()

    def _pump(
        self, here: socket.socket, there: socket.socket, tap: Callable[[bytes], None], up: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := here.recv(_SLOW_BYTES if self._bytes_s else 65_536):
                self._pass_gate()
                if self._bytes_s:
                    time.sleep(len(data) / self._bytes_s)  # that is what being slow is
                data, torn = self._harmed(data, up)
                tap(data)
                there.sendall(data)
                if torn:
                    break
        _reset(here, there)

    def _harmed(self, data: bytes, up: bool) -> tuple[bytes, bool]:
        if up and self._tears:
            self._tears = 0
            return data[: len(data) // 2], True
        if not up and self._garbles:
            self._garbles = 0
            return _GARBAGE, True
        return data, False

    def _pass_gate(self) -> None:
        with self._wake:
            self._wake.wait_for(lambda: self._mode != "frozen")


def _reset(*ends: socket.socket) -> None:
    """Whoever reads or writes there is woken; it closes, without waiting for bytes that are under way."""
    for end in ends:
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.shutdown(socket.SHUT_RDWR)
