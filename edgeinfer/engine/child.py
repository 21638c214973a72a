"""The child process: hosts all sessions of one accelerator, serves them by priority, and dies with its parent.

Started through engine/boot.py by engine/process.py; not for people.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.engine.shared import (
    REQUEST,
    Done,
    Failed,
    Infer,
    Memory,
    Open,
    Opened,
    Page,
    Reply,
    Request,
    TooLong,
    Wire,
    plan,
)
from edgeinfer.errors import EdgeinferError
from edgeinfer.ports import Session
from edgeinfer.tensors import TensorSpec

Array = NDArray[Any]

_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h
_CLOSE_S = 5.0
_AGE_S = 0.1  # waiting so long counts as one priority more: nobody starves


def die_with(parent: int) -> None:
    """Asks the kernel for SIGKILL when the parent's thread that started us ends, even if we hang in a driver."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


class Host:
    """One session behind its wire and its memory."""

    def __init__(self, wire: Wire, memory_fd: int, number: int) -> None:
        self.wire, self.number, self.priority = wire, number, 5
        self._memory_fd = memory_fd
        self._session: Session | None = None
        self._layout = plan((), ())
        self._memory: Memory | None = None

    def answer(self, request: Request) -> Reply:
        n = request.n if isinstance(request, Infer) else -1
        try:
            return self._open(request) if isinstance(request, Open) else self._infer(request)
        except EdgeinferError as error:
            kind = type(error).__name__
            return Failed(kind if kind in {"BundleError", "InputError"} else "InferenceLost", str(error), n)  # type: ignore[arg-type]  # checked right here
        except Exception as error:
            return Failed("InferenceLost", f"{type(error).__name__}: {error}", n)

    def _open(self, request: Open) -> Reply:
        self.priority = request.model.priority
        module, _, function = request.opener.partition(":")
        session = self._session = getattr(import_module(module), function)(request.model)
        self._adopt(plan(map(_told, session.spec.inputs), map(_told, session.spec.outputs)))
        return Opened(session.spec, session.runtime, session.warning, self._layout)

    def _infer(self, request: Infer) -> Reply:
        if self._session is None or self._memory is None:
            return Failed("InferenceLost", "no model was opened", request.n)
        outputs = self._session.infer(self._memory.inputs)
        changed = {n: (v.shape, v.dtype.name) for n, v in outputs.items()} != self._outputs_now()
        if changed:  # some shapes are known only after an invoke
            inputs = [(s.name, s.shape, s.dtype) for s in self._layout.inputs]
            self._adopt(plan(inputs, [(n, v.shape, v.dtype.name) for n, v in outputs.items()]))
        self._give(outputs)
        return Done(request.n, self._layout if changed else None)

    def _outputs_now(self) -> dict[str, tuple[tuple[int, ...], str]]:
        return {s.name: (s.shape, s.dtype) for s in self._layout.outputs}

    def _adopt(self, layout: Any) -> None:
        self._layout, self._memory = layout, Memory(self._memory_fd, layout)

    def _give(self, outputs: Mapping[str, Array]) -> None:
        if self._memory is not None:
            for name, values in outputs.items():
                np.copyto(self._memory.outputs[name], values)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        self.wire.close()
        os.close(self._memory_fd)


def _told(tensor: TensorSpec) -> tuple[str, tuple[int, ...], str]:
    return tensor.name, tuple(max(n, 0) for n in tensor.shape), tensor.dtype


@dataclass(slots=True)
class Job:
    """A request that waits for its turn."""

    host: Host
    request: Request
    since_s: float

    def urgency(self, now_s: float) -> float:
        return self.host.priority + (now_s - self.since_s) / _AGE_S


class Server:
    """One thread that serves the most urgent request, one after another, until the parent closes its end."""

    def __init__(self, control: socket.socket, page: Page) -> None:
        self._control, self._page = control, page
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)
        self._hosts: dict[int, Host] = {}  # by file descriptor
        self._jobs: list[Job] = []
        self._count = 0

    def run(self) -> None:
        while True:
            for fd, _ in self._poll.poll(0 if self._jobs else None):
                if fd == self._control.fileno():
                    if not self._let_in():
                        return
                else:
                    self._take(self._hosts[fd])
            if self._jobs:
                self._serve(self._next())

    def _let_in(self) -> bool:
        """A new session; False when the parent has closed."""
        text, fds, _, _ = socket.recv_fds(self._control, 64, 2)
        if not text:
            return False
        wire = Wire(socket.socket(fileno=fds[0]))
        self._count += 1
        self._hosts[wire.fileno()] = Host(wire, fds[1], self._count)
        self._poll.register(wire.fileno(), select.POLLIN)
        return True

    def _take(self, host: Host) -> None:
        packed = host.wire.receive()
        if packed is None:
            self._drop(host)
        else:
            self._jobs.append(Job(host, REQUEST.decode(packed), time.monotonic()))

    def _next(self) -> Job:
        if len(self._jobs) == 1:
            return self._jobs.pop()
        now_s = time.monotonic()
        best = max(self._jobs, key=lambda job: job.urgency(now_s))
        self._jobs.remove(best)
        return best

    def _serve(self, job: Job) -> None:
        self._page.begin(job.host.number, job.request.within_s)
        reply = job.host.answer(job.request)
        self._page.end()
        with suppress(OSError):  # it did not wait; its end comes with the next poll
            try:
                job.host.wire.send(reply)
            except TooLong as error:
                text = f"the model has too many tensors for a child process (their list takes {error})"
                job.host.wire.send(Failed("BundleError", text))

    def _drop(self, host: Host) -> None:
        fd = host.wire.fileno()
        self._poll.unregister(fd)
        del self._hosts[fd]
        self._jobs = [job for job in self._jobs if job.host is not host]
        self._page.begin(host.number, _CLOSE_S)  # a driver may hang while it lets go: the others shall see it
        host.close()
        self._page.end()


def main(parent: int, control: socket.socket, page_fd: int) -> None:
    """Serves, and ends the process."""
    die_with(parent)
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # the parent decides when to stop, also when systemd asks us all
        signal.signal(number, signal.SIG_IGN)
    Server(control, Page(page_fd)).run()
    sys.stdout.flush()
    os._exit(0)  # a driver's destructors have nothing to say here, and may hang
