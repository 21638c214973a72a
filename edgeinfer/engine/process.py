"""A child process and the thread that keeps it: started, spoken to, killed, reaped. What runs in it is child.py's."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from edgeinfer.engine.shared import Page, Wire, pair
from edgeinfer.errors import InferenceLost, InputError

_BOOT = Path(__file__).with_name("boot.py")
_EXIT_S = 2.0
_KILL_S = 0.1
NEEDS = "it needs numpy, msgspec and a TFLite runtime: PYTHON -m pip install msgspec 'numpy<2' tflite-runtime"


class Dead(Exception):  # noqa: N818  internal: why there is no reply
    """The child hung or died; the text says which."""


class Child:
    """One process. The kernel kills it when the thread that started it ends, so a thread of its own does, and waits.

    Args:
        python: the interpreter; "" for ours.

    Raises:
        InputError: there is no such interpreter.
        InferenceLost: no process can be started for now.
    """

    def __init__(self, python: str = "") -> None:
        self.python = python or sys.executable
        self.version = ""  # of its interpreter, once it has said hello
        self.sessions = 0  # counted by Children
        self._control, theirs = pair()
        self._page_fd = os.memfd_create("edgeinfer-page", os.MFD_CLOEXEC)
        self.page = Page(self._page_fd)
        self._process: subprocess.Popen[bytes] | None = None
        self._failed: list[OSError] = []
        self._started, self._ended, self._lock = Event(), Event(), Lock()
        self._count = 0
        Thread(target=self._keep, args=(theirs,), name="child", daemon=True).start()
        self._started.wait()
        if self._failed:
            self._let_go()
            raise self._unstarted(self._failed[0])

    def _keep(self, theirs: socket.socket) -> None:
        try:
            self._process = self._spawn(theirs)
        except OSError as error:
            self._failed.append(error.with_traceback(None))  # else its frame keeps us, and our descriptors
            return
        finally:
            theirs.close()
            self._started.set()
        self._process.wait()
        self._ended.set()

    def _spawn(self, theirs: socket.socket) -> subprocess.Popen[bytes]:
        """A fresh interpreter, never a fork: threads and drivers of this process stay out of it."""
        fds = (theirs.fileno(), self._page_fd)
        command = [self.python, str(_BOOT), str(_BOOT.parents[1]), str(os.getpid()), *map(str, fds)]
        # What a runtime prints goes to our stderr; "/" so that no file of the working folder is imported.
        return subprocess.Popen(command, pass_fds=fds, stdin=subprocess.DEVNULL, stdout=2, cwd="/")

    def _unstarted(self, error: OSError) -> Exception:
        if isinstance(error, FileNotFoundError | PermissionError):
            return InputError(
                f"python = {self.python!r}: {error.strerror}: expected the path of a Python interpreter"
            )
        return InferenceLost(f"no child process could be started: {error.strerror}")  # no memory: it may pass

    @property
    def pid(self) -> int:
        return self._process.pid if self._process else 0

    @property
    def alive(self) -> bool:
        return not self._ended.is_set()

    def connect(self, memory_fd: int, timeout_s: float) -> tuple[Wire, int]:
        """A wire to a new session there that has the memory `memory_fd`, and its number.

        Raises:
            InputError: the interpreter lacks what it needs.
            Dead: it died or hung before it said hello.
        """
        with self._lock:
            if not self.version:
                self.version = self._hello(timeout_s)
            ours, theirs = pair()
            try:
                socket.send_fds(self._control, [b"session"], [theirs.fileno(), memory_fd])
            except OSError as error:
                ours.close()
                raise Dead(self.how_it_ended()) from error
            finally:
                theirs.close()
            self._count += 1
            return Wire(ours), self._count

    def _hello(self, timeout_s: float) -> str:
        self._control.settimeout(timeout_s)
        try:
            said = self._control.recv(4096).decode(errors="replace")
        except TimeoutError:
            self.kill()
            raise Dead(f"gave no answer within {timeout_s:.1f} s and was killed") from None
        except ConnectionError:
            said = ""
        self._control.settimeout(None)
        if said.startswith("ok:"):
            return said.removeprefix("ok:")
        if said:
            raise InputError(
                f"python = {self.python!r} cannot run models ({said.removeprefix('no:')}): {NEEDS}"
            )
        raise Dead(self.how_it_ended())

    def how_it_ended(self) -> str:
        """After its wire broke: "died of SIGABRT"; one that lingers is killed."""
        if not self._ended.wait(_EXIT_S):
            self.kill()
            return "closed its wire and was killed"
        return ended(self._process.returncode) if self._process else "never was"

    def kill(self) -> None:
        """Waits for the end hardly at all: a process that hangs in a driver may take its time to die."""
        if self._process is not None:
            self._process.kill()
            self._ended.wait(_KILL_S)

    def close(self) -> None:
        """Ends it: it exits when its control wire closes, and is killed when it does not."""
        self._let_go()
        if not self._ended.wait(_EXIT_S):
            self.kill()
            self._ended.wait(_EXIT_S)

    def _let_go(self) -> None:
        self._control.close()
        if self._page_fd >= 0:
            os.close(self._page_fd)
            self._page_fd = -1


class Children:
    """The children of one daemon: one for each accelerator, one for each isolated model of the CPU."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._shared: dict[Any, Child] = {}

    def take(self, key: tuple[str, ...] | None, python: str) -> Child:
        """The child for `key`, started when it is not there (None: one of its own). Give it back with `leave`."""
        with self._lock:
            child = self._shared.get(key) if key else None
            if child is None or not child.alive:
                child = Child(python)
                if key:
                    self._shared[key] = child
            child.sessions += 1
            return child

    def leave(self, child: Child) -> None:
        """A session is closed; the last one ends the child."""
        with self._lock:
            child.sessions -= 1
            last = child.sessions == 0
            if last:
                self._shared = {key: other for key, other in self._shared.items() if other is not child}
        if last:
            child.close()


def ended(code: int) -> str:
    """How a process ended, by the signal's name where it was one."""
    if code >= 0:
        return f"ended by itself with code {code}"
    try:
        return f"died of {signal.Signals(-code).name}"
    except ValueError:
        return f"died of signal {-code}"
