"""A pseudo-terminal with nodes at its other end: what a serial port with boards on it is to a program."""

from __future__ import annotations

import contextlib
import os
import pty
import select
import time
import tty
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from threading import Event, RLock, Thread
from typing import Protocol

_LONGEST_S = 0.05
_NOBODY_S = 0.01  # how often we look whether somebody has opened the port


class Talker(Protocol):
    """A node, or a board that runs one."""

    def receive(self, data: bytes, now_ns: int) -> None: ...
    def advance(self, now_ns: int) -> None: ...
    def due_ns(self) -> int: ...
    def outgoing(self) -> bytes: ...


class Line:
    """Runs from construction to `close`. Several talkers share it, as nodes share an RS-485 pair.

    Args:
        talkers: who is on the line.
        name: a path for the port that stays the same when it is unplugged and plugged in again, like those
            under /dev/serial/by-id; None: `port` is the terminal itself.
        spoil: what the cable does to bytes on their way to the host.
    """

    def __init__(
        self,
        talkers: Sequence[Talker],
        name: Path | None = None,
        spoil: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self.talkers, self._name, self.spoil = talkers, name, spoil
        # The thread works on master and talkers; who unplugs waits for its step to end, but a talker's own hook may.
        self._lock = RLock()
        self._stop = Event()
        self._master = -1
        self.replug()
        self._thread = Thread(target=self._run, name="simulated-line", daemon=True)
        self._thread.start()

    @property
    def port(self) -> str:
        """What a program opens."""
        return str(self._name or self._terminal)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Nothing happens on the line inside: the time to press a button of a board."""
        with self._lock:
            yield

    def unplug(self) -> None:
        """The port vanishes: whoever has it open gets an error."""
        with self._lock:
            if self._name is not None:
                self._name.unlink(missing_ok=True)
            if self._master >= 0:
                os.close(self._master)
                self._master = -1

    def replug(self) -> None:
        """A new terminal under the same name; the nodes go on as they were."""
        master, slave = pty.openpty()
        tty.setraw(slave)
        self._terminal = os.ttyname(slave)
        os.close(slave)
        os.set_blocking(master, False)
        with self._lock:
            self._master = master
            if self._name is not None:
                self._name.parent.mkdir(parents=True, exist_ok=True)
                self._name.unlink(missing_ok=True)
                self._name.symlink_to(self._terminal)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self.unplug()

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- the thread --------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            with self._lock:
                waited_for = self._step()
            if waited_for:
                self._stop.wait(waited_for)
            else:
                self._wait_readable()

    def _step(self) -> float:
        """Everything that is due; how long to wait before the next look, 0: until bytes come or a block is due."""
        data, opened = self._read()
        now_ns = time.monotonic_ns()
        for talker in self.talkers:
            if data:
                talker.receive(data, now_ns)
            talker.advance(now_ns)
            out = talker.outgoing()
            if out and opened:
                self._write(self.spoil(out))
        return 0.0 if opened else _NOBODY_S

    def _wait_readable(self) -> None:
        due_ns = min((talker.due_ns() for talker in self.talkers), default=0)
        wait_s = min(max((due_ns - time.monotonic_ns()) / 1e9, 0.0), _LONGEST_S)
        with contextlib.suppress(OSError, ValueError):  # unplugged meanwhile
            select.select([self._master], [], [], wait_s)

    def _read(self) -> tuple[bytes, bool]:
        """What came, and whether anybody has the port open."""
        if self._master < 0:
            return b"", False
        try:
            data = os.read(self._master, 65536)
        except BlockingIOError:
            return b"", True
        except OSError:  # EIO: nobody has it open
            return b"", False
        return data, bool(data)

    def _write(self, data: bytes) -> None:
        """A UART waits for nobody: what the other side does not take is lost."""
        with contextlib.suppress(OSError):
            os.write(self._master, data)
