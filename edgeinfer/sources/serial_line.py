"""Serial lines as a source uses them: a port of its own, or one that polled nodes share; knows no protocol.

The reasons are in docs/adr/0021-shared-lines.md, the rules of a shared pair in docs/firmware.md.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from typing import NamedTuple, Protocol

from edgeinfer.ports import Stop
from edgeinfer.protocols import LineProtocol, Rows
from firmware_bridge.errors import PortBusyError, PortLostError
from firmware_bridge.framing import LONGEST, on_wire
from firmware_bridge.port import Port, Setting

_LOOK_S = 0.2  # how often a waiting read looks whether it should stop
BEGIN_S = 0.1  # docs/firmware.md, "Shared pair": an answer begins within 50 ms; adapters take their time
_REST_S = 0.05  # and has no longer pauses
_BABBLE_S = 1.0  # what goes on for longer than the longest frame and this is no answer


class Heard(NamedTuple):
    """How many bytes came, and the rows in them."""

    size: int
    rows: list[Rows]


class Talk(Protocol):
    """A line that is open for one source."""

    def exchange(self, protocol: LineProtocol, stop: Stop) -> Heard:
        """Says what the protocol has to say, and waits a little for what comes.

        Raises:
            PortLostError: the port is gone.
            SourceLost: the protocol found another node than the one that is awaited.
        """
        ...


class OwnLine:
    """A port for one source alone."""

    def __init__(self, port: Port) -> None:
        self._port = port

    def exchange(self, protocol: LineProtocol, stop: Stop) -> Heard:  # noqa: ARG002  Talk's form
        now_ns = time.monotonic_ns()
        if says := protocol.outgoing(now_ns):
            self._port.write(says)
        data = self._port.read(_until(protocol, now_ns))
        return Heard(len(data), list(protocol.receive(data, time.monotonic_ns())) if data else [])


class SharedLine:
    """A port on which one source after the other has an exchange, in the order in which they came."""

    def __init__(self, port: Port, setting: Setting, begin_s: float) -> None:
        self.port, self.setting, self._begin_s = port, setting, begin_s
        self._longest_s = _BABBLE_S + on_wire(LONGEST) * 11 / setting.baud  # 8 bits, start, stop, parity
        self.addresses: set[int] = set()
        self.lost: PortLostError | None = None
        self._turns = Turns()

    def exchange(self, protocol: LineProtocol, stop: Stop) -> Heard:
        heard = None
        with self._turns.one():
            if self.lost:
                raise self.lost
            try:
                heard = self._ask(protocol)
            except PortLostError as error:
                self.lost = error
                self.port.close()
                raise
        if heard is None:
            stop.wait(_until(protocol, time.monotonic_ns()))
        return heard or Heard(0, [])

    def _ask(self, protocol: LineProtocol) -> Heard | None:
        """One request and its answer; None when there is nothing to ask."""
        says = protocol.outgoing(time.monotonic_ns())
        if not says:
            return None
        self._drain()
        self.port.write(says)
        size, rows, wait_s, end_s = 0, list[Rows](), self._begin_s, time.monotonic() + self._longest_s
        while protocol.waits and time.monotonic() < end_s and (data := self.port.read(wait_s)):
            size, wait_s = size + len(data), _REST_S
            rows += protocol.receive(data, time.monotonic_ns())
        return Heard(size, rows)

    def _drain(self) -> None:
        """What came too late to be an answer would be taken for the beginning of the next one."""
        end_s = time.monotonic() + _REST_S
        while self.port.read(0.0) and time.monotonic() < end_s:
            pass


class SharedLines:
    """The shared lines of a daemon that are open, by device; `begin_s` is how long an answer may take to begin."""

    def __init__(self, begin_s: float = BEGIN_S) -> None:
        self.begin_s = begin_s
        self._lock = Lock()
        self._open: dict[str, SharedLine] = {}

    @contextmanager
    def joined(self, name: str, setting: Setting, address: int) -> Iterator[SharedLine]:
        """The line of port `name`: the first opens it, the last closes it.

        Raises:
            PortError, PortBusyError, PortDeniedError: as of opening; also where another source has this address, or
                has opened the port with another setting.
        """
        device = os.path.realpath(name)
        with self._lock:
            line = self._line(name, device, setting)
            if address in line.addresses:
                raise PortBusyError(f"{name}: another source of this daemon asks address {address} already")
            line.addresses.add(address)
        try:
            yield line
        finally:
            with self._lock:
                self._leave(line, device, address)

    def _line(self, name: str, device: str, setting: Setting) -> SharedLine:
        line = self._open.get(device)
        if line is None or line.lost:
            line = self._open[device] = SharedLine(Port(name, setting), setting, self.begin_s)
        if line.setting != setting:
            raise PortBusyError(
                f"{name}: another source of this daemon has it open with {line.setting.baud} baud, parity "
                f"{line.setting.parity}: all nodes of a line are set alike (baud, parity, bits, dtr, rts)"
            )
        return line

    def _leave(self, line: SharedLine, device: str, address: int) -> None:
        line.addresses.discard(address)
        if line.addresses:
            return
        line.port.close()
        if self._open.get(device) is line:
            del self._open[device]


class Turns:
    """A lock that is given in the order in which it was asked for, so that nobody starves."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._asked = self._now = 0

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        with self._changed:
            mine, self._asked = self._asked, self._asked + 1
            self._changed.wait_for(lambda: self._now == mine)
        try:
            yield
        finally:
            with self._changed:
                self._now += 1
                self._changed.notify_all()


def _until(protocol: LineProtocol, now_ns: int) -> float:
    due_s = _LOOK_S if protocol.wake_ns is None else (protocol.wake_ns - now_ns) / 1e9
    return min(_LOOK_S, max(0.0, due_s))
