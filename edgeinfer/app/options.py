"""The options of the tables that are not plugins: [pipeline.NAME] and [state]."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edgeinfer.config.values import bytes_of
from edgeinfer.tracking.tracker import TrackOptions


class KeepOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a user may write as `keep` of a pipeline: pictures around its decisions."""

    rules: tuple[str, ...] = ()
    """Of these rules; empty: of all of the pipeline."""
    before_s: Annotated[float, Meta(ge=0, le=60)] = 3.0
    after_s: Annotated[float, Meta(ge=0, le=60)] = 2.0
    fps: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    """At most so many pictures a second are kept; 0: all."""
    quality: Annotated[int, Meta(ge=1, le=100)] = 85
    """Of the JPEG."""
    thumbnail: bool = False
    """Publish a small picture (at most 10 kB) with each of these decisions."""


class PipelineOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which source(s) go through which model to which rules.

    A pipeline without a model hands readings to its rules as they are; with `inputs = ["rule:a"]` the
    decisions of other rules are its observations.
    """

    rules: tuple[str, ...]
    source: str = ""
    sources: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    model: str = ""
    keep: KeepOptions | None = None
    """Keep pictures from before and after decisions on disk; None: no picture is ever kept."""
    track: TrackOptions | None = None
    """Follow what the model finds from picture to picture; `{}` with the defaults. None: nothing has an identity."""
    max_fps: Annotated[float, Meta(ge=0, le=1000)] = 0.0
    """At most so many pictures a second are judged; 0: as many as come."""
    max_age_ms: Annotated[float, Meta(ge=0, le=3_600_000)] = 0.0
    """What is older when its turn comes is skipped and counted; 0: `deadline_ms`."""
    deadline_ms: Annotated[float, Meta(ge=0, le=3_600_000)] = 0.0
    """From capture to the decision in the outbox; health says how often it was kept. 0: no promise."""
    priority: Annotated[int, Meta(ge=0, le=9)] = 5
    """Who gives way when the cores or an accelerator are short, or the board throttles: the lower number."""

    def __post_init__(self) -> None:
        if not self.rules:
            raise ValueError("rules: name at least one rule")
        if not self.all_sources and not self.inputs:
            raise ValueError('source: name where samples come from, for instance source = "camera"')
        if bad := [i for i in self.inputs if not i.startswith("rule:")]:
            raise ValueError(f'inputs: {bad[0]!r} should read "rule:NAME"')

        if self.keep is not None and (strange := sorted(set(self.keep.rules) - set(self.rules))):
            raise ValueError(
                f"keep: {strange[0]!r} is no rule of this pipeline (they are: {', '.join(self.rules)})"
            )
        if self.track is not None and not self.model:
            raise ValueError("track: needs a model, whose findings it follows; this pipeline has none")

    @property
    def all_sources(self) -> tuple[str, ...]:
        return ((self.source,) if self.source else ()) + self.sources


class StateOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the outbox lies, how large it may grow, and how much a power cut may take.

    `dir` empty means: what systemd hands over, else ~/.local/state/edgeinfer/DEVICE.
    """

    dir: str = ""
    outbox_max: str = "64 MB"
    sync_s: float = 1.0
    history: Annotated[int, Meta(ge=0, le=1_000_000)] = 10_000
    """So many decisions stay in the outbox after delivery, for `explain` and the history."""
    events_max: str = "200 MB"
    """The bound of the pictures that pipelines with `keep` keep; the oldest go first."""

    def __post_init__(self) -> None:
        for key in ("outbox_max", "events_max"):
            try:
                bytes_of(getattr(self, key))
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from error
        if not 0 <= self.sync_s <= 3600:
            raise ValueError(f"sync_s: expected 0 to 3600 seconds, found {self.sync_s}")

    @property
    def outbox_max_bytes(self) -> int:
        return bytes_of(self.outbox_max)

    def folder(self, device: str, handed_over: Path | None = None) -> Path:
        if self.dir:
            return Path(self.dir).expanduser()
        return handed_over or Path.home() / ".local/state/edgeinfer" / device
