"""The options of the tables that are not plugins: [pipeline.NAME] and [state]."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edgeinfer.config.values import bytes_of
from edgeinfer.tracking.tracker import TrackOptions

_LEAST_AUDIT = 100_000  # less would forget what happened this morning


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

        if self.track is not None and not self.model:
            raise ValueError("track: needs a model, whose findings it follows; this pipeline has none")

    @property
    def all_sources(self) -> tuple[str, ...]:
        return ((self.source,) if self.source else ()) + self.sources


class StateOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where outbox and audit log lie, how large they may grow, and how much a power cut may take.

    `dir` empty means: what systemd hands over, else ~/.local/state/edgeinfer/DEVICE.
    """

    dir: str = ""
    outbox_max: str = "64 MB"
    sync_s: float = 1.0
    audit_max: str = "8 MB"

    def __post_init__(self) -> None:
        for key in ("outbox_max", "audit_max"):
            try:
                bytes_of(getattr(self, key))
            except ValueError as error:
                raise ValueError(f"{key}: {error}") from error
        if self.audit_max_bytes < _LEAST_AUDIT:
            raise ValueError(
                f"audit_max: expected at least {_LEAST_AUDIT // 1000} kB, found {self.audit_max!r}"
            )
        if not 0 <= self.sync_s <= 3600:
            raise ValueError(f"sync_s: expected 0 to 3600 seconds, found {self.sync_s}")

    @property
    def outbox_max_bytes(self) -> int:
        return bytes_of(self.outbox_max)

    @property
    def audit_max_bytes(self) -> int:
        return bytes_of(self.audit_max)

    def folder(self, device: str, handed_over: Path | None = None) -> Path:
        if self.dir:
            return Path(self.dir).expanduser()
        return handed_over or Path.home() / ".local/state/edgeinfer" / device
