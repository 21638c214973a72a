"""A session in a child process: whatever the runtime does there, this process lives, and waits only so long."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer import errors
from edgeinfer.engine.process import Child, Children, Dead
from edgeinfer.engine.shared import REPLY, Done, Failed, Infer, Memory, Open, Opened, Reply, Request, Wire
from edgeinfer.errors import BundleError, InferenceLost, InputError
from edgeinfer.events import Instant
from edgeinfer.ports import BackendPlace, ModelFile

Array = NDArray[Any]

INFER_S = 5.0
OPEN_S = 60.0  # an accelerator's first open uploads its firmware; a Pi's SD card may be slow


class Busy(InferenceLost):
    """The child serves others that have more priority or came first; it is well, and so is this session."""


class IsolatedSession:
    """One model in a child. Models of one accelerator share the child that has it; others have one each.

    Args:
        model: what to open.
        opener: "module:function" that makes a Session of a ModelFile, imported in the child only.
        infer_s: how long an `infer` without a deadline of its own may take, where `model.hang_s` does not say it.
        open_s: how long opening may take.
        children: those that a daemon has already.

    Raises:
        BundleError: the runtime refuses the file, dies of it, or hangs on it.
        InputError: no runtime is installed, or the interpreter of the child cannot be used.
        InferenceLost: the delegate's library dies or hangs as it is loaded; no process can be started.
    """

    def __init__(
        self,
        model: ModelFile,
        opener: str,
        infer_s: float = INFER_S,
        open_s: float = OPEN_S,
        children: Children | None = None,
    ) -> None:
        self._infer_s, self._name = model.hang_s or infer_s, Path(model.path).name
        self._children = children or Children()
        self._n, self._closed = 0, False
        self._wire: Wire | None = None
        self._memory_fd, self._child = self._taken(model)
        try:
            absolute = replace(model, path=str(Path(model.path).absolute()))
            opened = self._opened(Open(opener, absolute, open_s))
        except BaseException:
            self.close()
            raise
        self.spec, self.warning = opened.spec, opened.warning
        under = f", Python {self._child.version}" if model.python else ""
        self.runtime = f"{opened.runtime}, child process{under}"
        self._memory = Memory(self._memory_fd, opened.layout)

    def _taken(self, model: ModelFile) -> tuple[int, Child]:
        try:
            memory_fd = os.memfd_create("edgeinfer", os.MFD_CLOEXEC)
            try:
                return memory_fd, self._children.take(_device(model), model.python)
            except BaseException:
                os.close(memory_fd)
                raise
        except OSError as error:  # no memory, no descriptors: it may pass
            raise InferenceLost(
                f"{self._name}: no child process could be started: {error.strerror}"
            ) from error

    @property
    def pid(self) -> int:
        return self._child.pid

    def _opened(self, request: Open) -> Opened:
        try:
            self._wire, self._number = self._child.connect(self._memory_fd, request.within_s)
            reply = self._ask(request)
        except Dead as error:
            raise _dead_while_opening(request.model, error) from error
        if not isinstance(reply, Opened):
            raise BundleError(f"{request.model.path}: the child answered {type(reply).__name__}")
        return reply

    def infer(self, inputs: Mapping[str, Array], deadline: Instant | float | None = None) -> dict[str, Array]:
        """As the port says; `deadline` is an Instant, or seconds from now (default: as the session was opened).

        Raises:
            InferenceLost: no answer by then (the child is killed), the child died, or the runtime failed.
            Busy: the child was busy with others for all that time.
        """
        self._put(inputs)
        timeout_s = self._seconds(deadline)
        if timeout_s <= 0:
            raise InferenceLost(f"{self._name}: the deadline had passed before it began")
        self._n += 1
        try:
            reply = self._ask(Infer(self._n, timeout_s))
        except Dead as error:
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

    def _ask(self, request: Request) -> Reply:
        """One request, one reply; raises again what the child raised."""
        wire = self._wire
        if wire is None or not self._child.alive:
            raise Dead(self._child.how_it_ended())
        try:
            wire.send(request)
        except OSError:
            raise Dead(self._child.how_it_ended()) from None
        n = request.n if isinstance(request, Infer) else -1
        while True:
            self._wait(wire, request.within_s)
            packed = wire.receive()
            if packed is None:
                raise Dead(self._child.how_it_ended())
            reply = REPLY.decode(packed)
            if isinstance(reply, Done | Failed) and reply.n != n:
                continue  # the answer to a request that was given up
            if isinstance(reply, Failed):
                raise getattr(errors, reply.kind)(reply.message)
            return reply

    def _wait(self, wire: Wire, timeout_s: float) -> None:
        """Until there is an answer; kills the child when what it does now takes longer than was said of that."""
        left_s = timeout_s
        while not wire.wait(left_s):
            number, left_s = self._child.page.now()
            if not number or left_s <= 0:
                self._child.kill()
                raise Dead(f"gave no answer within {timeout_s:.1f} s and was killed")
            if number != self._number:
                raise Busy(f"{self._name}: no turn within {timeout_s:.1f} s: other models are served first")

    def close(self) -> None:
        """Lets the session go; the child ends with its last one. May be called twice."""
        if self._closed:
            return
        self._closed = True
        if self._wire is not None:
            self._wire.close()
        os.close(self._memory_fd)
        self._children.leave(self._child)


def _device(model: ModelFile) -> tuple[str, ...] | None:
    """What physical accelerator this is; None for a child of its own."""
    if model.delegate is None:
        return None
    return (model.python, model.delegate.library, model.delegate.options.get("device", ""))


def _dead_while_opening(model: ModelFile, error: Dead) -> InferenceLost | BundleError:
    if model.delegate is not None:  # not the file's fault, or not for sure
        return InferenceLost(
            f"{model.delegate.library} {error} while it was loaded: was it built for another version of the runtime?"
        )
    return BundleError(
        f"{model.path}: the runtime {error} while it opened the file: it is damaged, or not made for this runtime"
    )


def place_of(children: Children) -> BackendPlace:
    """For backends that share `children`."""

    def isolated(model: ModelFile, opener: str) -> IsolatedSession:
        return IsolatedSession(replace(model, isolate=True), opener, children=children)

    return BackendPlace(isolated)


ALONE = BackendPlace(lambda model, opener: IsolatedSession(replace(model, isolate=True), opener))
"""For one session on its own: its child is nobody else's."""
