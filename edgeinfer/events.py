"""What travels from the world to a decision: samples, findings, inferences, decisions, messages.

All are frozen; nothing here knows how they are made, stored or sent.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

from numpy.typing import NDArray

from edgeinfer.geometry import Box, Point, around

Key = tuple[str, int]  # (source, n): n is dense per source and boot


@dataclass(frozen=True, slots=True)
class Instant:
    """One moment, as its source stamped it.

    Durations use `mono_ns`, schedules use `unix_ns`; `synced` tells whether the wall clock was disciplined.
    """

    boot: str
    mono_ns: int
    unix_ns: int
    synced: bool = True

    def later(self, ns: int) -> Instant:
        return Instant(self.boot, self.mono_ns + ns, self.unix_ns + ns, self.synced)


# --- samples ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture: `pixels` is BGR or grey, (H, W, 3) or (H, W) uint8; never written to after it was made."""

    key: Key
    at: Instant
    pixels: NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """A block of `values` (n, channels) float64, first row taken at `at`, one each `period_ns`.

    `gap_before` tells that samples were lost between the block before and this one.
    """

    key: Key
    at: Instant
    channels: tuple[str, ...]
    values: NDArray[Any]
    period_ns: int = 0
    gap_before: bool = False


@dataclass(frozen=True, slots=True)
class Trigger:
    """Judge now; `context` (part number, recipe, …) is copied into the decision."""

    key: Key
    at: Instant
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by and nothing came; made by the feed."""

    key: Key
    at: Instant


@dataclass(frozen=True, slots=True)
class Lost:
    """The source gives nothing any more, and why; made by the feed."""

    key: Key
    at: Instant
    reason: str


@dataclass(frozen=True, slots=True)
class Back:
    """The source gives samples again; made by the feed, right before the first of them."""

    key: Key
    at: Instant


Sample = Frame | Readings | Trigger | Tick | Lost | Back


# --- findings --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Detection:
    """An object at `box` (normalised to the picture), `score` 0..1."""

    label: str
    score: float
    box: Box
    track: int | None = None


@dataclass(frozen=True, slots=True)
class Keypoints:
    """Named points of one object, each (x, y, score), normalised."""

    label: str
    score: float
    points: tuple[tuple[float, float, float], ...]
    track: int | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """An area of one class, as the outline of its largest part, normalised."""

    label: str
    score: float
    outline: tuple[Point, ...]
    track: int | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """How sure a classifier is of `label`, 0..1."""

    label: str
    score: float
    track: int | None = None


@dataclass(frozen=True, slots=True)
class Value:
    """A number that a model reads off (a gauge, an anomaly), in `unit`."""

    label: str
    value: float
    unit: str = ""
    track: int | None = None


Finding = Detection | Keypoints | Region | Score | Value

LONGEST_HIDDEN_S = 60.0
"""The longest that a track may be hidden and go on: who remembers a `track` longer than this remembers it in vain."""


def box_of(finding: Finding) -> Box | None:
    """The smallest box around a finding, normalised; None for what has no place."""
    if isinstance(finding, Detection):
        return finding.box
    if isinstance(finding, Keypoints) and finding.points:
        return around([(x, y) for x, y, _ in finding.points])
    if isinstance(finding, Region) and finding.outline:
        return around(finding.outline)
    return None


@dataclass(frozen=True, slots=True)
class Inference:
    """What a model saw in one sample; never pixels. `timings` maps a stage to nanoseconds, `measures` a name to what
    was measured of the sample itself (see measures.py; empty unless a rule asks for it).
    """

    key: Key
    at: Instant
    findings: tuple[Finding, ...]
    model: str = ""
    timings: Mapping[str, int] = field(default_factory=dict)
    measures: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


# --- decisions -------------------------------------------------------------------------------------------

COMMAND_RULE = "command"
"""The rule of decisions that tell of a command: on was done, off was not. No rule of a config has this name."""

State = Literal["unknown", "on", "off"] | float


@dataclass(frozen=True, slots=True)
class Decision:
    """A rule's state changed: at the moment of what it saw (`at`), about `subject`.

    `details` hold only what JSON can: text, numbers, booleans, None, and lists or mappings of them.
    """

    pipeline: str
    rule: str
    subject: str
    state: State
    at: Instant
    key: Key
    details: Mapping[str, Any] = field(default_factory=dict)


def decision_id(device: str, decision: Decision, ordinal: int) -> str:
    """The same recording gives the same id, on any machine; `ordinal` counts equals within one step."""
    parts = (
        device,
        decision.pipeline,
        decision.rule,
        decision.subject,
        decision.state,
        decision.at.unix_ns,
        ordinal,
    )
    digest = sha256("\x1f".join(map(str, parts)).encode()).digest()
    return b32encode(digest)[:16].decode().lower()


Observation = Inference | Readings | Trigger | Tick | Lost | Back | Decision


# --- delivery --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision in the outbox, with its envelope; `seq` is dense per device."""

    seq: int
    id: str
    boot: str
    device: str
    decision: Decision
    model: str = ""
    config: str = ""
    age_ms: float = 0.0  # from capture to the outbox


@dataclass(frozen=True, slots=True)
class Gap:
    """The outbox was full: entries `first`..`last` were dropped before this sink had acknowledged them."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Message:
    """What a sink sends. `seq` names the entry (or the last one of a gap) that it settles, else None.

    One that `carries` several entries names them all; `seq` is then the last one up to which all are settled with it.

    A sink that has no topics (a file, a terminal) writes only messages with a `seq`. `content_type` (a MIME type) and
    `user` (names and values) are said beside the payload where the protocol has a place for them, as MQTT 5 has;
    so is `correlation`, by which an asker knows the answer to its question.
    """

    topic: str
    payload: bytes
    qos: Literal[0, 1] = 1
    retain: bool = False
    seq: int | None = None
    content_type: str = ""
    user: tuple[tuple[str, str], ...] = ()
    correlation: bytes = b""
    carries: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Acked:
    """The other side has it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """It left (QoS 0): nobody will ever say more."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The other side will never take it."""

    reason: str


Outcome = Acked | Sent | Refused
