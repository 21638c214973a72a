"""A sensor on a serial line that gives every rule a reason to decide, at a rate; and remembers what it said.

Each line has one number for every channel: n, with the sign of its parity, so that a threshold at 0 changes its
state with each line, and each decision names the line that it is about.
"""

from __future__ import annotations

from pathlib import Path

from firmware_bridge.simulator import Line

FIRST = 10_000_000  # all numbers have eight digits: one that was cut off on its way is found out


class Counting:
    """A talker of `firmware_bridge.simulator`."""

    def __init__(self, channels: int, lines_s: float) -> None:
        self._channels, self._period_ns = channels, round(1e9 / lines_s)
        self._due_ns, self._out, self._quiet = 0, b"", False
        self.said: list[int] = []

    def receive(self, data: bytes, now_ns: int) -> None:
        """It listens to nobody."""

    def advance(self, now_ns: int) -> None:
        if self._quiet:
            return
        self._due_ns = self._due_ns or now_ns
        while self._due_ns <= now_ns:
            self._due_ns += self._period_ns
            number = FIRST + len(self.said)
            signed = number if number % 2 == 0 else -number
            self._out += (",".join([str(signed)] * self._channels) + "\n").encode()
            self.said.append(number)

    def due_ns(self) -> int:
        return self._due_ns

    def outgoing(self) -> bytes:
        out, self._out = self._out, b""
        return out

    def hush(self) -> None:
        """Says no more."""
        self._quiet = True


class Sensor:
    """Behind `port`, from construction to `close`; lost is what it says while nobody has the port open."""

    def __init__(self, port: Path, channels: int, lines_s: float) -> None:
        self._talker, self.port = Counting(channels, lines_s), port
        self._line = Line([self._talker], port)

    @property
    def said(self) -> list[int]:
        """All numbers, in order."""
        return self._talker.said

    def stop(self) -> None:
        self._talker.hush()

    def close(self) -> None:
        self._line.close()
