"""Finds the port on which a node of a given name answers HELLO; touches no port that somebody else has open."""

from __future__ import annotations

import glob
import os
import time
from collections.abc import Sequence

from edgeinfer.commons import Commons
from edgeinfer.errors import SourceLost
from edgeinfer.ports import Stop
from firmware_bridge.errors import PortError
from firmware_bridge.flash import lock
from firmware_bridge.link import Greeted, Link, OtherVersion
from firmware_bridge.port import Port, Setting, holders, ports

_LOCKS = "firmware"  # in the state folder: where `edgeinfer firmware flash` keeps them
ASK_S = 1.0  # five requests; a board that restarts when its port is opened is asked again in the next round


class Search:
    """The search of one source; remembers where it found its node.

    Args:
        node: the name that its firmware says.
        patterns: which ports to look at, as a shell would write them; none: all serial ports of this machine.
        setting: how they are opened.
        commons: of the daemon: which ports are other sources', and where flashers keep their lock files.
    """

    def __init__(self, node: str, patterns: Sequence[str], setting: Setting, commons: Commons) -> None:
        self._node, self._patterns, self._setting, self._commons = node, patterns, setting, commons
        self._found = ""
        self._said: dict[str, str] = {}  # of this round: port to what came of it

    def find(self, stop: Stop, within_s: float) -> str:
        """The port; "" when `stop` was set. A round longer than `within_s` goes on at the next call.

        Raises:
            SourceLost: not found (yet); says where it was looked for and what was there.
        """
        end_s = time.monotonic() + within_s - ASK_S
        for name in self._candidates():
            if name in self._said:
                continue
            said = self._ask(name, stop)
            if stop.is_set():
                return ""
            if said == self._node:
                self._found, self._said = name, {}
                return name
            self._said[name] = said
            if time.monotonic() > end_s:
                raise SourceLost(f"still looking for the node {self._node!r}: {self._all_said()}")
        text, self._said = self._all_said(), {}
        raise SourceLost(f"no port has the node {self._node!r} at {self._setting.baud} baud: {text}")

    def _candidates(self) -> list[str]:
        """Each device once, the port of last time first."""
        names = [name for pattern in self._patterns for name in sorted(glob.glob(pattern))]  # noqa: PTH207  absolute
        if not self._patterns:
            names = [found.name for found in ports()]
        names.sort(key=lambda name: name != self._found)
        return list({os.path.realpath(name): name for name in reversed(names)}.values())[::-1]

    def _ask(self, name: str, stop: Stop) -> str:
        """The name that answers there, or a sentence."""
        if os.path.realpath(name) in map(os.path.realpath, self._commons.seated):
            return "it belongs to another source"
        if has := holders(name, ours=True):
            return f"it is open in {', '.join(has)}"
        state = self._commons.state
        if state is not None and (flasher := lock.holder(name, state / _LOCKS)):
            return f"a flasher is at work on it (process {flasher})"
        try:
            with Port(name, self._setting) as port:
                return _hello(port, stop)
        except PortError as error:
            return str(error).removeprefix(f"{name} ").removeprefix(f"{name}: ")

    def _all_said(self) -> str:
        if not self._said:
            return f"there is no port{' like ' + ', '.join(self._patterns) if self._patterns else ''}"
        return "; ".join(f"{name}: {said}" for name, said in self._said.items())


def _hello(port: Port, stop: Stop) -> str:
    link, heard, end_s = Link(start=False), 0, time.monotonic() + ASK_S
    while time.monotonic() < end_s and not stop.is_set():
        link.tick(time.monotonic_ns())
        port.write(link.outgoing())
        data = port.read(0.05)
        heard += len(data)
        for event in link.receive(data, time.monotonic_ns()):
            if isinstance(event, Greeted):
                hello = event.hello
                return f"only the bootloader of a {hello.board} answers" if hello.bootloader else hello.name
            if isinstance(event, OtherVersion):
                return str(event)
    return f"{heard} bytes came, and no HELLO" if heard else "silent"
