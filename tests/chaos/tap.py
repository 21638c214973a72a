"""Listens to the bytes between a device and its broker: which decisions were published, and which acknowledged.

Reads MQTT 3.1.1 and 5 (MQTT 5, 2.1 and 3.3) by itself, so that a mistake of the sink's client cannot hide from it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import msgspec

_CONNECT, _PUBLISH, _PUBACK = 1, 3, 4
_REFUSAL = 0x80


class Named(msgspec.Struct):
    """What names a decision in its payload."""

    seq: int
    id: str


class Acknowledged:
    """Of all connections of one sink: seq → when the broker acknowledged it last (monotonic, s)."""

    def __init__(self) -> None:
        self.at_s: dict[int, float] = {}


class Tap:
    """One connection. Each method is called by one thread only."""

    def __init__(self, into: Acknowledged) -> None:
        self._into = into
        self._up, self._down = _Packets(), _Packets()
        self._version = 4
        self._under_way: dict[int, int] = {}  # packet id → seq

    def to_broker(self, data: bytes) -> None:
        for kind, flags, body in self._up.feed(data):
            if kind == _CONNECT:
                self._version = body[2 + int.from_bytes(body[:2], "big")]
            elif kind == _PUBLISH and flags & 0x06:
                self._published(body)

    def to_device(self, data: bytes) -> None:
        for kind, _, body in self._down.feed(data):
            if kind == _PUBACK:
                seq = self._under_way.pop(int.from_bytes(body[:2], "big"), None)
                refused = len(body) > 2 and body[2] >= _REFUSAL
                if seq is not None and not refused:
                    self._into.at_s[seq] = time.monotonic()

    def _published(self, body: bytes) -> None:
        length = int.from_bytes(body[:2], "big")
        topic, rest = body[2 : 2 + length], body[2 + length :]
        packet, payload = int.from_bytes(rest[:2], "big"), rest[2:]
        if self._version == 5:
            size, used = _varint(payload)
            payload = payload[used + size :]
        if b"/decision/" in topic:
            self._under_way[packet] = msgspec.json.decode(payload, type=Named).seq


class _Packets:
    """Cuts a stream into packets: (kind, flags, body)."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[tuple[int, int, bytes]]:
        self._rest += data
        while len(self._rest) > 1:
            try:
                size, used = _varint(self._rest[1:5])
            except IndexError:
                return
            end = 1 + used + size
            if len(self._rest) < end:
                return
            packet, self._rest = self._rest[:end], self._rest[end:]
            yield packet[0] >> 4, packet[0] & 15, packet[1 + used :]


def _varint(data: bytes) -> tuple[int, int]:
    """A variable byte integer (MQTT 5, 1.5.5) and how many bytes it took; IndexError where it is not whole."""
    value = 0
    for n in range(4):
        value |= (data[n] & 0x7F) << 7 * n
        if not data[n] & 0x80:
            return value, n + 1
    return value, 4
