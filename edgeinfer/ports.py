"""The protocols between the rooms. A plugin implements one of them and is named by an entry point.

A plugin is a class with an inner frozen `Options` (a `msgspec.Struct`, every key that a user may write, with
defaults). The app constructs it as `Plugin(options, place)`: the place says where in the house it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

from numpy.typing import NDArray

from edgeinfer.commons import Commons
from edgeinfer.events import (
    Decision,
    Entry,
    Finding,
    Frame,
    Gap,
    Inference,
    Instant,
    Key,
    Message,
    Observation,
    Outcome,
    Readings,
    Sample,
)
from edgeinfer.meters import Meters
from edgeinfer.tensors import ModelSpec

Array = NDArray[Any]

Report = Callable[[str, str | None], None]
"""`report(topic, text)` says in health and log what is wrong with a part now; None takes it back."""


class Stop(Protocol):
    """What a `threading.Event` offers to somebody who waits and may be asked to stop."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


class Clock(Protocol):
    def now(self) -> Instant: ...


class Stamp(Protocol):
    """Numbers and times the samples of one source; shared by the source and its feed."""

    def __call__(self, at: Instant | None = None) -> tuple[Key, Instant]:
        """The next key, and `at` or else now."""
        ...


# --- sources ---------------------------------------------------------------------------------------------

Flow = Literal["newest", "queue", "lockstep"]
"""How samples pass the mailbox: `newest` for live pictures, `queue` for readings, `lockstep` for files."""


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """Where a source stands: its name, its stamp, whom to tell what is wrong, and what it shares with the others.

    `meters` are those of its post; the thread that runs the source writes them.
    """

    name: str
    stamp: Stamp
    report: Report
    meters: Meters = field(default_factory=Meters)
    commons: Commons = field(default_factory=Commons)


class Source(Protocol):
    """A device as a generator of samples.

    `block_s` is the longest that one `next()` may block; a source that overruns twice that is replaced.
    One that opens a port says so in the attribute `seat` (a `commons.Seat`, or None).
    """

    block_s: float
    flow: Flow

    def samples(self, stop: Stop) -> Iterator[Sample]:
        """Opens inside, closes on the way out. Returning is the end of input.

        Raises:
            SourceLost: "open me again".
        """
        ...


# --- engine ----------------------------------------------------------------------------------------------


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
    """A bundle at work: fit, infer and decode in one. What a pipeline calls; not for two threads at once."""

    identity: str  # "parts@sha256:…", the bundle in every decision

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


# --- rules -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RulePlace:
    pipeline: str
    rule: str


class Rule(Protocol):
    """Pure but for its own memory; knows time only from what it sees."""

    def observe(self, seen: Observation) -> Iterable[Decision]: ...


# --- delivery --------------------------------------------------------------------------------------------


StateKind = Literal["binary", "number"]
"""What a rule's state is: on and off, or a number (either may be unknown). A rule's class may say it as `states`."""


@dataclass(frozen=True, slots=True)
class EncoderPlace:
    device: str
    topic: str  # the root, all placeholders but {rule} filled in
    sink: str
    machine_id: str = ""
    rules: Mapping[str, StateKind] = field(default_factory=dict)


class Encoder(Protocol):
    """Decisions to messages; may hold state of one connection. Pure otherwise.

    One with the attribute `addition = True` speaks beside another, which settles the entries.
    """

    listens: tuple[str, ...]  # topics that it wants to hear of

    def heard(self, topic: str, payload: bytes) -> None:
        """A message on one of `listens`; called by another thread than the rest."""
        ...

    def wants_birth(self) -> bool:
        """Whether something was heard that asks for a birth in the same connection; says so once."""
        ...

    def will(self) -> Message | None:
        """What the broker says for us if we die."""
        ...

    def birth(self, states: Sequence[Entry], gone: Sequence[str]) -> Sequence[Message]:
        """After each connect: status, the last state of each rule; states of rules that are `gone` cleared."""
        ...

    def encode(self, batch: Sequence[Entry | Gap]) -> Sequence[Message]:
        """One or more messages for each entry; the last message of an entry carries its `seq`."""
        ...

    def pulse(self, count: int, health: Mapping[str, Any] | None) -> Sequence[Message]:
        """Heartbeat `count`, and health when it changed."""
        ...

    def farewell(self, states: Sequence[Entry]) -> Sequence[Message]:
        """Before an ordered stop: states unknown, status offline."""
        ...


@dataclass(frozen=True, slots=True)
class SinkPlace:
    name: str
    device: str
    machine_id: str
    will: Message | None
    report: Report
    listens: tuple[str, ...] = ()
    heard: Callable[[str, bytes], None] = lambda _topic, _payload: None  # what comes on these topics


class Sink(Protocol):
    """The other side. Used by one courier thread only; connects and reconnects by itself.

    `session` counts connections: when it changes, the courier sends a birth. 0 means never connected yet.
    """

    session: int

    def send(self, batch: Sequence[Message]) -> Sequence[Outcome]:
        """Sends many in flight and waits; outcomes of the first n messages, in order.

        n < len(batch) when the connection broke in between.

        Raises:
            DeliveryError: there is no connection; nothing of this batch is known to have arrived.
        """
        ...

    def wait_ready(self, timeout_s: float) -> bool:
        """Whether there is a connection, after waiting at most so long for one."""
        ...

    def close(self) -> None: ...
