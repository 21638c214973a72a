"""The options of the tables that are not plugins: [pipeline.NAME] and [state]."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edgeinfer.config.values import bytes_of
from edgeinfer.runtime.edges import Edge
from edgeinfer.tracking.tracker import TrackOptions

_LEAST_AUDIT = 100_000  # less would forget what happened this morning


class TriggerOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a user may write as `trigger` of a pipeline, when the source does not give triggers by itself."""

    source: str
    channel: str = ""
    """A channel of its readings; each time that its value comes to lie beyond the bound is a trigger."""
    above: float | None = None
    below: float | None = None
    apart_ms: Annotated[float, Meta(ge=0, le=60_000)] = 0.0
    """What follows the one before in less is the same: a contact bounces."""

    def __post_init__(self) -> None:
        bounds = [b for b in (self.above, self.below) if b is not None]
        if self.channel and len(bounds) != 1:
            raise ValueError("channel: say when it triggers, by above = 0.5 or by below = 0.5")
        if bounds and not self.channel:
            raise ValueError("channel: name the channel whose value is to be above or below that")

    @property
    def edge(self) -> Edge:
        bound = self.below if self.above is None else self.above
        apart_ns = round(self.apart_ms * 1e6)
        return Edge(self.source, self.channel, bound or 0.0, self.above is None, apart_ns)


class StageOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of a pipeline's `stages`: about the findings that it means, somebody is asked again."""

    labels: str | tuple[str, ...] = ()
    above: Annotated[float, Meta(ge=0, le=1)] = 0.0
    below: Annotated[float, Meta(ge=0, le=1)] = 1.0
    """It means findings of these labels (none: of any) with a score from `above` to `below`."""
    model: str = ""
    """Asked about the picture, or about each crop."""
    on: Literal["picture", "crop"] = "picture"
    pad: Annotated[float, Meta(ge=0, le=2)] = 0.1
    """Of a crop: so much more on each side, in sizes of the box."""
    most: Annotated[int, Meta(ge=1, le=100)] = 8
    """At most so many crops of a picture, those of the highest scores."""
    pictures: Annotated[int, Meta(ge=0, le=100)] = 0
    """So many pictures are asked, this one and the next; together they say it."""
    combine: Literal["mean", "vote"] = "mean"
    within_ms: Annotated[float, Meta(ge=0, le=3_600_000)] = 0.0
    """Of `pictures`: what came so long after the first has to do. 0: the pipeline's deadline_ms, or no limit."""

    def __post_init__(self) -> None:
        if self.above > self.below:
            raise ValueError(f"above: expected at most below ({self.below}), found {self.above}")
        if bool(self.model) == (self.pictures > 0):
            raise ValueError(
                "model: say who is asked, a model or the next pictures (pictures = 3); one of them"
            )
        if self.pictures == 1:
            raise ValueError("pictures: this one alone is no second look: expected at least 2")
        if self.pictures and self.on == "crop":
            raise ValueError("on: a crop is for a model; with pictures leave it out")

    @property
    def wanted(self) -> tuple[str, ...]:
        return (self.labels,) if isinstance(self.labels, str) else self.labels


class RecipeOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a user may write in `[recipe.NAME]`: keys of rules and models that are other ones while it holds."""

    value: str = ""
    """What the context says when it holds; left out: the name."""
    rule: dict[str, dict[str, Any]] = {}
    model: dict[str, dict[str, Any]] = {}

    def __post_init__(self) -> None:
        if not self.rule and not self.model:
            raise ValueError(
                "rule: it changes nothing; write rule.NAME.KEY = VALUE or model.NAME.bundle = VALUE"
            )


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
    trigger: str | TriggerOptions = ""
    """The source that says "judge now": then only the newest picture after each trigger is judged, and answered."""
    context: tuple[str, ...] = ()
    """Names of values (of triggers and channels) that each decision carries; `recipe` among them chooses one."""
    unknown_recipe: Literal["default", "unknown"] = "default"
    """Where there is no recipe of that value: the config as it is written holds, or each rule is unknown."""
    stages: tuple[StageOptions, ...] = ()
    """Who is asked after `model`, about what: see docs/cascades.md."""

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
        if self.stages and not self.model:
            raise ValueError("stages: the first who is asked is `model`; this pipeline has none")
        if self.trigger_source:
            self._check_trigger()

    def _check_trigger(self) -> None:
        if not self.model:
            raise ValueError("trigger: a picture is judged, and this pipeline has no model that could")
        if not self.deadline_ms:
            raise ValueError("trigger: say by deadline_ms within which time it is to be answered")
        if self.max_age_ms:
            raise ValueError("max_age_ms: with a trigger deadline_ms says what is too old; leave it out")
        if self.inputs:
            raise ValueError(
                "inputs: with a trigger only pictures are judged; watch its rules from another pipeline"
            )

    @property
    def all_sources(self) -> tuple[str, ...]:
        """With that of the trigger, each once."""
        named = ((self.source,) if self.source else ()) + self.sources
        more = (self.trigger_source,) if self.trigger_source else ()
        return tuple(dict.fromkeys(named + more))

    @property
    def trigger_source(self) -> str:
        return self.trigger if isinstance(self.trigger, str) else self.trigger.source

    @property
    def edge(self) -> Edge:
        """What counts as a trigger."""
        return Edge(self.trigger) if isinstance(self.trigger, str) else self.trigger.edge

    @property
    def all_models(self) -> tuple[str, ...]:
        """Of all stages, each once; the first is the one that is always asked."""
        named = [self.model, *(stage.model for stage in self.stages)]
        return tuple(dict.fromkeys(name for name in named if name))


class StateOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where outbox and audit log lie, how large they may grow, and how much a power cut may take.

    `dir` empty means: what systemd hands over, else ~/.local/state/edgeinfer/DEVICE.
    """

    dir: str = ""
    outbox_max: str = "64 MB"
    sync_s: float = 1.0
    audit_max: str = "8 MB"
    history: Annotated[int, Meta(ge=0, le=1_000_000)] = 10_000
    """So many decisions stay in the outbox after delivery, for `explain` and the history."""
    events_max: str = "200 MB"
    """The bound of the pictures that pipelines with `keep` keep; the oldest go first."""

    def __post_init__(self) -> None:
        for key in ("outbox_max", "audit_max", "events_max"):
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
