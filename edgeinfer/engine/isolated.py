"""A session in a child process: whatever the runtime does there, this process lives, and waits only so long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer import errors
from edgeinfer.engine.shared import REPLY, Done, Failed, Infer, Memory, Open, Opened, Reply, Request, Wire
from edgeinfer.errors import BundleError, InferenceLost, InputError
from edgeinfer.events import Instant
from edgeinfer.ports import ModelFile

Array = NDArray[Any]

INFER_S = 5.0
OPEN_S = 60.0  # an accelerator's first open uploads its firmware; a Pi's SD card may be slow
_EXIT_S = 2.0


class _Dead(Exception):  # noqa: N818  internal: why there is no reply
    """The child hung or died; the text says which."""


class IsolatedSession:
    """One model in one child. The child is killed by the kernel when the thread that opened this one ends.

    Args:
        model: what to open.
        opener: "module:function" that makes a Session of a ModelFile, imported in the child only.
        infer_s: how long an `infer` without a deadline of its own may take.
        open_s: how long opening may take.

    Raises:
        BundleError: the runtime refuses the file, dies of it, or hangs on it.
        InputError: no runtime is installed.
    """

    def __init__(
        self, model: ModelFile, opener: str, infer_s: float = INFER_S, open_s: float = OPEN_S
    ) -> None:
        self._infer_s, self._name = infer_s, Path(model.path).name
        self._memory_fd = os.memfd_create("edgeinfer", os.MFD_CLOEXEC)
        try:
            self._process, self._wire = _spawn(self._memory_fd)
        except OSError as error:  # no memory, too many processes: it may pass
            os.close(self._memory_fd)
            raise InferenceLost(
                f"{self._name}: no child process could be started: {error.strerror}"
            ) from error
        try:
            opened = self._opened(Open(opener, replace(model, path=str(Path(model.path).absolute()))), open_s)
        except BaseException:
            self.close()
            raise
        self.spec, self.runtime = opened.spec, f"{opened.runtime}, child process"
        self.warning = opened.warning
        self._memory = Memory(self._memory_fd, opened.layout)

    @property
    def pid(self) -> int:
        return self._process.pid

    def _opened(self, request: Open, open_s: float) -> Opened:
        try:
            reply = self._ask(request, open_s)
        except _Dead as error:
            if request.model.delegate is not None:  # not the file's fault, or not for sure
                library = request.model.delegate.library
                raise InferenceLost(
                    f"{library} {error} while it was loaded: was it built for another version of the runtime?"
                ) from error
            text = (
                f"the runtime {error} while it opened the file: it is damaged, or not made for this runtime"
            )
            raise BundleError(f"{request.model.path}: {text}") from error
        if not isinstance(reply, Opened):
            raise BundleError(f"{request.model.path}: the child answered {type(reply).__name__}")
        return reply

    def infer(self, inputs: Mapping[str, Array], deadline: Instant | float | None = None) -> dict[str, Array]:
        """As the port says; `deadline` is an Instant, or seconds from now (default `infer_s`).

        Raises:
            InferenceLost: no answer by then (the child is killed), the child died, or the runtime failed.
        """
        self._put(inputs)
        timeout_s = self._seconds(deadline)
        if timeout_s <= 0:
            raise InferenceLost(f"{self._name}: the deadline had passed before it began")
        try:
            reply = self._ask(Infer(), timeout_s)
        except _Dead as error:
            raise InferenceLost(f"{self._name}: the child process {error}") from error
        if isinstance(reply, Done) and reply.layout is not None:
            self._memory = Memory(self._memory_fd, reply.layout)
        return dict(self._memory.outputs)

    def _put(self, inputs: Mapping[str, Array]) -> None:
        slots = self._memory.inputs
        if inputs.keys() != slots.keys():
            raise InputError(f"expected the inputs {sorted(slots)}, found {sorted(inputs)}")
        for name, values in inputs.items():
            slot = slots[name]
            if values.shape != slot.shape or values.dtype != slot.dtype:
                wanted, found = f"{slot.dtype} {slot.shape}", f"{values.dtype} {values.shape}"
                raise InputError(f"the model's input {name!r} takes {wanted}, found {found}")
            np.copyto(slot, values)

    def _seconds(self, deadline: Instant | float | None) -> float:
        if isinstance(deadline, Instant):
            return (deadline.mono_ns - time.monotonic_ns()) / 1e9
        return self._infer_s if deadline is None else deadline

    def _ask(self, request: Request, timeout_s: float) -> Reply:
        """One request, one reply; raises again what the child raised."""
        if self._process.returncode is not None:
            raise _Dead(ended(self._process.returncode))
        try:
            self._wire.send(request)
        except BrokenPipeError:
            raise _Dead(self._reaped()) from None
        if not self._wire.wait(timeout_s):
            self._kill()
            raise _Dead(f"gave no answer within {timeout_s:.1f} s and was killed")
        packed = self._wire.receive()
        if packed is None:
            raise _Dead(self._reaped())
        reply = REPLY.decode(packed)
        if isinstance(reply, Failed):
            raise getattr(errors, reply.kind)(reply.message)
        return reply

    def _reaped(self) -> str:
        try:
            return ended(self._process.wait(_EXIT_S))
        except subprocess.TimeoutExpired:
            self._kill()
            return "closed its pipe and was killed"

    def _kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Ends the child: it exits when its pipe closes, and is killed when it does not."""
        if self._memory_fd < 0:
            return
        self._wire.close()
        os.close(self._memory_fd)
        self._memory_fd = -1
        try:
            self._process.wait(_EXIT_S)
        except subprocess.TimeoutExpired:
            self._kill()


def _spawn(memory_fd: int) -> tuple[subprocess.Popen[bytes], Wire]:
    """A fresh interpreter, never a fork: threads and drivers of this process stay out of it."""
    down_read, down_write = os.pipe()
    up_read, up_write = os.pipe()
    theirs = (down_read, up_write, memory_fd)
    command = [sys.executable, "-m", "edgeinfer.engine.child", *map(str, (os.getpid(), *theirs))]
    wire = Wire(up_read, down_write)
    try:  # what a runtime prints goes to our stderr; "/" so that no file of the working folder is imported
        process = subprocess.Popen(command, pass_fds=theirs, stdin=subprocess.DEVNULL, stdout=2, cwd="/")
    except BaseException:
        wire.close()
        raise
    finally:
        os.close(down_read)
        os.close(up_write)
    return process, wire


def ended(code: int) -> str:
    """How a process ended, by the signal's name where it was one."""
    if code >= 0:
        return f"ended by itself with code {code}"
    try:
        return f"died of {signal.Signals(-code).name}"
    except ValueError:
        return f"died of signal {-code}"
