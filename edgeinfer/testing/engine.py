"""Engines without a model: a session and a predictor that say what they are told, and openers that misbehave."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import BundleError, InferenceLost
from edgeinfer.events import Finding, Frame, Inference, Instant
from edgeinfer.ports import ModelFile
from edgeinfer.tensors import ModelSpec, TensorSpec

Array = NDArray[Any]
Outputs = Mapping[str, Array]


class FakeSession:
    """Answers each `infer` by `answer(inputs)`, or always with the same outputs; remembers what it was given."""

    runtime, warning = "fake", ""

    def __init__(self, spec: ModelSpec, answer: Outputs | Callable[[Outputs], Outputs]) -> None:
        self.spec, self._answer = spec, answer
        self.seen: list[dict[str, Array]] = []
        self.closed = False

    def infer(self, inputs: Mapping[str, Array], deadline: Instant | None = None) -> Outputs:  # noqa: ARG002
        self.seen.append({name: values.copy() for name, values in inputs.items()})
        return self._answer(inputs) if callable(self._answer) else self._answer

    def close(self) -> None:
        self.closed = True


class FakePredictor:
    """Finds in the n-th picture what stands n-th in `script` (findings, or an error to raise); the last repeats."""

    runtime, warning = "fake", ""

    def __init__(
        self, script: Iterable[Sequence[Finding] | Exception] = (), identity: str = "fake@sha256:000000000000"
    ) -> None:
        self.identity = identity
        self._script = list(script) or [()]
        self.frames = 0
        self.forgotten: list[str] = []  # sources that were lost
        self.closed = False

    def predict(self, frame: Frame) -> Inference:
        step = self._script[min(self.frames, len(self._script) - 1)]
        self.frames += 1
        if isinstance(step, Exception):
            raise step
        timings = {"prepare": 0, "invoke": 0, "decode": 0}
        return Inference(frame.key, frame.at, tuple(step), self.identity, timings)

    def forget(self, source: str) -> None:
        self.forgotten.append(source)

    def close(self) -> None:
        self.closed = True


ECHO = ModelSpec(
    (TensorSpec("in", (1, 4), "uint8", 0.0, 0, 0),),
    (TensorSpec("out", (1, 4), "uint8", 0.0, 0, 1), TensorSpec("pid", (), "int64", 0.0, 0, 2)),
)
"""`out` is 255 - `in`; `pid` (1,) is the process it ran in, of unknown shape before the first call."""

CROWD = ModelSpec(
    ECHO.inputs, tuple(TensorSpec(f"output-{n}", (1, 4), "uint8", 0.0, 0, n) for n in range(3000))
)


def open_trouble(model: ModelFile) -> FakeSession:
    """An opener for engine/isolated.py whose trouble is the file's name: hang, slow, die, fail, hang-open, die-open, …

    "crowd" has thousands of outputs. Any other name gives a session that works.
    """
    trouble = os.path.basename(model.path)  # noqa: PTH119
    if trouble.endswith("-open"):
        _make(trouble.removesuffix("-open"), BundleError("the file is broken"))

    def answer(inputs: Outputs) -> Outputs:
        _make(trouble, InferenceLost("the device is unplugged"))
        return {"out": 255 - inputs["in"], "pid": np.array([os.getpid()], np.int64)}

    return FakeSession(CROWD if trouble == "crowd" else ECHO, answer)


def _make(trouble: str, failure: Exception) -> None:
    if trouble == "hang":
        time.sleep(3600)
    if trouble == "slow":
        time.sleep(1.0)
    if trouble == "die":
        os.kill(os.getpid(), signal.SIGSEGV)
    if trouble == "fail":
        raise failure
