"""The child process: hosts one session behind pipes and a memfd, and dies with its parent.

Started as `python -m edgeinfer.engine.child PARENT READ_FD WRITE_FD MEMORY_FD` by engine/isolated.py; not for people.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.engine.shared import (
    REQUEST,
    Done,
    Failed,
    Infer,
    Layout,
    Memory,
    Open,
    Opened,
    Reply,
    Wire,
    plan,
)
from edgeinfer.errors import EdgeinferError
from edgeinfer.ports import Session
from edgeinfer.tensors import TensorSpec

Array = NDArray[Any]

_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h


def die_with(parent: int) -> None:
    """Asks the kernel for SIGKILL when the parent's thread that started us ends, even if we hang in a driver."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it died before we asked
        os._exit(1)


class Host:
    """Answers requests until the parent closes its end."""

    def __init__(self, wire: Wire, memory_fd: int) -> None:
        self._wire, self._memory_fd = wire, memory_fd
        self._session: Session | None = None
        self._layout = plan((), ())
        self._memory: Memory | None = None

    def run(self) -> None:
        while (packed := self._wire.receive()) is not None:
            self._wire.send(self._answer(packed))

    def _answer(self, packed: bytes) -> Reply:
        request = REQUEST.decode(packed)
        try:
            return self._open(request) if isinstance(request, Open) else self._infer(request)
        except EdgeinferError as error:
            kind = type(error).__name__
            return Failed(kind if kind in {"BundleError", "InputError"} else "InferenceLost", str(error))  # type: ignore[arg-type]  # checked right here
        except Exception as error:
            return Failed("InferenceLost", f"{type(error).__name__}: {error}")

    def _open(self, request: Open) -> Reply:
        module, _, function = request.opener.partition(":")
        self._session = getattr(import_module(module), function)(request.model)
        spec = self._session.spec
        self._adopt(plan(map(_told, spec.inputs), map(_told, spec.outputs)))
        return Opened(spec, self._session.runtime, self._session.warning, self._layout)

    def _infer(self, _: Infer) -> Reply:
        if self._session is None or self._memory is None:
            return Failed("InferenceLost", "no model was opened")
        outputs = self._session.infer(self._memory.inputs)
        changed = {n: (v.shape, v.dtype.name) for n, v in outputs.items()} != self._outputs_now()
        if changed:  # some shapes are known only after an invoke
            inputs = [(s.name, s.shape, s.dtype) for s in self._layout.inputs]
            self._adopt(plan(inputs, [(n, v.shape, v.dtype.name) for n, v in outputs.items()]))
        self._give(outputs)
        return Done(self._layout if changed else None)

    def _outputs_now(self) -> dict[str, tuple[tuple[int, ...], str]]:
        return {s.name: (s.shape, s.dtype) for s in self._layout.outputs}

    def _adopt(self, layout: Layout) -> None:
        self._layout, self._memory = layout, Memory(self._memory_fd, layout)

    def _give(self, outputs: Mapping[str, Array]) -> None:
        if self._memory is not None:
            for name, values in outputs.items():
                np.copyto(self._memory.outputs[name], values)


def _told(tensor: TensorSpec) -> tuple[str, tuple[int, ...], str]:
    return tensor.name, tuple(max(n, 0) for n in tensor.shape), tensor.dtype


def main(arguments: list[str]) -> None:
    parent, read_fd, write_fd, memory_fd = map(int, arguments)
    die_with(parent)
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # the parent decides when to stop, also when systemd asks us all
        signal.signal(number, signal.SIG_IGN)
    with suppress(BrokenPipeError):  # the parent is gone: so are we
        Host(Wire(read_fd, write_fd), memory_fd).run()


if __name__ == "__main__":
    main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(0)  # a driver's destructors have nothing to say here, and may hang
