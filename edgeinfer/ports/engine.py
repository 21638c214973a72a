"""Models at work: files, backends, sessions, decoders, predictors. Protocols only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from edgeinfer.events import Finding, Frame, Inference, Instant, Readings
from edgeinfer.ports.common import Array
from edgeinfer.tensors import ModelSpec


@dataclass(frozen=True, slots=True)
class Delegate:
    """A library that takes operators over from the runtime (TFLite's external delegate), and its options."""

    library: str
    options: dict[str, str]


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A verified .tflite and how it is to be run.

    In a child process: `python` is its interpreter ("" for ours), `hang_s` the longest that one inference may take (0
    for the usual), `priority` (0 to 9, the higher first) counts among the models of one accelerator.
    """

    path: str
    sha256: str
    threads: int = 1
    isolate: bool = False
    delegate: Delegate | None = None
    python: str = ""
    hang_s: float = 0.0
    priority: int = 5


class Session(Protocol):
    """A model that is loaded and ready. Not for two threads at once."""

    spec: ModelSpec

    @property
    def runtime(self) -> str:
        """What really runs it, now: "ai-edge-litert 2.3.0, cpu (XNNPACK, 1 thread)"."""
        ...

    @property
    def warning(self) -> str:
        """What is not as it was asked for, now: "the delegate took no operator"; else ""."""
        ...

    def infer(self, inputs: Mapping[str, Array], deadline: Instant | None = None) -> Mapping[str, Array]:
        """Tensors by name in, tensors by name out.

        The arrays that come back are the caller's own until the next call.

        Raises:
            InferenceLost: the session is dead; open another.
        """
        ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class BackendPlace:
    """Where a backend stands.

    `isolated(model, opener)` opens a session in a child process: `opener` is "module:function", a ModelFile to a
    Session. Models with the same delegate on the same device share one child.
    """

    isolated: Callable[[ModelFile, str], Session]


class Backend(Protocol):
    """Built as `cls(options, place)` from its table in [model.NAME]."""

    files: tuple[str, ...]  # the variants of a bundle that it can take, the best first
    isolates: bool  # in a child process unless the user says otherwise
    accelerates: (
        bool  # a device that can fail: its answers are checked, and one that does not accelerate stands in
    )

    def open(self, model: ModelFile) -> Session:
        """Raises BundleError (no such model can run) or InferenceLost (the device is away for now)."""
        ...


@dataclass(frozen=True, slots=True)
class DecoderPlace:
    """`roles` maps the manifest's output roles ("boxes") to tensor names; `arrays` are the bundle's .npy files."""

    labels: tuple[str, ...]
    spec: ModelSpec
    roles: Mapping[str, str]
    arrays: Mapping[str, Array] = field(default_factory=dict)


class Decoder(Protocol):
    """Output tensors to findings; pure.

    One that has the attribute `needs_input = True` finds the input tensors among the outputs, by their names.
    """

    def decode(self, outputs: Mapping[str, Array]) -> Sequence[Finding]:
        """Findings in the model's normalised input coordinates, non-maximum suppression done."""
        ...


class Predictor(Protocol):
    """A bundle at work: fit, infer and decode in one. What a pipeline calls; not for two threads at once.

    One with the attribute `undecided` may want another picture before it is sure; it is true after such a `predict`.
    """

    @property
    def identity(self) -> str:
        """`parts@sha256:…`: the bundle in every decision."""
        ...

    @property
    def runtime(self) -> str:
        """What runs it, now."""
        ...

    @property
    def warning(self) -> str:
        """What is not as it was asked for, now; else ""."""
        ...

    def predict(self, frame: Frame) -> Inference:
        """Findings in the picture's normalised coordinates, with timings of prepare, invoke and decode (ns).

        Raises:
            InferenceLost: open another predictor.
        """
        ...

    def forget(self, source: str) -> None:
        """The source was lost: what a recurrent model kept of it says nothing about what comes next."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class ReadingsPredictor(Protocol):
    """A bundle that takes readings: windows are collected inside, for each source of its own."""

    identity: str

    @property
    def runtime(self) -> str:
        """What runs it, now."""
        ...

    @property
    def warning(self) -> str:
        """What is not as it was asked for, now; else ""."""
        ...

    def read(self, readings: Readings) -> Sequence[Inference]:
        """One inference for each window that `readings` fill, stamped with the moment of its last row; often none.

        Raises:
            InferenceLost: open another predictor; or these are not the channels or the rate of the model.
        """
        ...

    def forget(self, source: str) -> None:
        """The source was lost: its next window, and a recurrent model's memory, begin with what comes after that."""
        ...

    def close(self) -> None: ...
