"""From a blueprint to a Plan: which post is built how, and when a change of the config touches it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec import structs

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.crashes import Crashes
from edgeinfer.app.encoding import encoder_of
from edgeinfer.app.options import PipelineOptions
from edgeinfer.app.probe import Plugin, build
from edgeinfer.app.zones import zone
from edgeinfer.clock import SourceStamp
from edgeinfer.commands.letterbox import Letterboxes
from edgeinfer.commons import Commons
from edgeinfer.config import Part
from edgeinfer.engine.process import Children
from edgeinfer.ports import (
    Clock,
    EncoderPlace,
    Flow,
    Predictor,
    ReadingsPredictor,
    Rule,
    RulePlace,
    SinkPlace,
    Source,
    SourcePlace,
    StateKind,
)
from edgeinfer.runtime.courier import Courier
from edgeinfer.runtime.feed import Feed
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.intake import Limits
from edgeinfer.runtime.loop import Fatal
from edgeinfer.runtime.mailbox import Hub, Inbox
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.paused import PAUSED, Paused
from edgeinfer.runtime.pipeline import Commit, Line, Pipeline
from edgeinfer.runtime.states import States
from edgeinfer.runtime.supervisor import Plan, Spec
from edgeinfer.store import Bundle
from edgeinfer.taps import Taps
from edgeinfer.tracking.identities import Identities

if TYPE_CHECKING:
    from edgeinfer.engine.opening import Opening

DOOR, COURIER, PIPELINE, FEED = -1, 0, 1, 2  # ranks: outputs start first, inputs stop first


@dataclass(frozen=True)
class Services:
    """What every post shares; lives as long as the daemon."""

    clock: Clock
    health: Health
    outbox: Outbox
    states: States
    hub: Hub
    taps: Taps
    fatal: Fatal
    machine_id: str
    commons: Commons
    crashes: Crashes
    letters: Letterboxes
    pausing: set[str] = field(
        default_factory=set
    )  # pipelines that a command has paused, as of the newest plan
    children: Children = field(default_factory=Children)


def plan(blueprint: Blueprint, services: Services) -> Plan:
    """All posts of `blueprint`. Nothing is opened: a post opens its device in its own thread."""
    services.pausing.clear()
    services.pausing.update(blueprint.overrides.paused)
    services.commons.seated = frozenset(seat.port for seat in blueprint.seats().values())
    specs: dict[str, Spec] = {}
    for name, sink in blueprint.sinks.items():
        bring = partial(_courier, name, sink, blueprint, services)
        described = str(rule_kinds(blueprint)) if getattr(sink.options, "also", ()) else ""  # to others
        specs[f"sink.{name}"] = Spec(bring, digest(sink.part, blueprint.device, described), COURIER)
    for name in blueprint.pipelines:
        identity = _pipeline_digest(name, blueprint)
        paused = name in blueprint.overrides.paused
        think = partial(_paused if paused else _pipeline, name, identity, blueprint, services)
        specs[f"pipeline.{name}"] = Spec(think, f"{identity} {PAUSED}" if paused else identity, PIPELINE)
    for name, source in blueprint.sources.items():
        if any(name in p.options.all_sources for p in blueprint.pipelines.values()):
            specs[f"source.{name}"] = Spec(
                partial(_feed, name, source, blueprint.device, services), digest(source.part), FEED
            )
    return specs


def digest(*parts: Part | str) -> str:
    """An identity of what the user wrote in `parts`: `sha256:` and twelve hex digits."""
    said = [
        part if isinstance(part, str) else [part.section, part.name, part.kind, part.options]
        for part in parts
    ]
    return "sha256:" + sha256(msgspec.json.encode(said, order="deterministic", enc_hook=str)).hexdigest()[:12]


def _pipeline_digest(name: str, blueprint: Blueprint) -> str:
    pipeline = blueprint.pipelines[name]
    options = pipeline.options
    parts: list[Part | str] = [pipeline.part, blueprint.device]
    parts += [blueprint.sources[source].part for source in options.all_sources]
    parts += [blueprint.rules[rule].part for rule in options.rules]
    if options.model:
        model = blueprint.models[options.model]
        parts += [model.part, model.bundle.identity]
    return digest(*parts)


# --- the posts ---------------------------------------------------------------------------------------------


def _feed(name: str, plugin: Plugin, device: str, services: Services) -> Feed:
    stamp = SourceStamp(name, services.clock)
    post = f"source.{name}"
    report, meters = services.health.reporter(post), services.health.post(post).meters
    place = SourcePlace(name, stamp, report, meters, services.commons, device, services.machine_id)

    def make() -> Source:
        source: Source = plugin.cls(plugin.options, place)
        return source

    return Feed(name, make, stamp, services.hub, services.taps, services.health, services.fatal)


def _pipeline(name: str, identity: str, blueprint: Blueprint, services: Services) -> Pipeline:
    options = blueprint.pipelines[name].options
    line = Line(
        name=name,
        inbox=Inbox(_flows(options.all_sources, options.inputs, blueprint), _limits(options)),
        open=partial(_guarded, name, options, blueprint, services) if options.model else None,
        rules=partial(_rules, name, options.rules, blueprint),
        config=identity,
        gives=options.rules,
        identify=partial(Identities, options.track) if options.track else None,
        why_stopped=partial(_why_stopped, name, services),
    )
    commit = Commit(services.outbox, services.states)
    return Pipeline(line, commit, services.hub, services.taps, services.health, services.fatal)


def _paused(name: str, _identity: str, blueprint: Blueprint, services: Services) -> Paused:
    rules = blueprint.pipelines[name].options.rules
    return Paused(name, rules, services.states, services.health)


def _why_stopped(name: str, services: Services) -> str:
    return PAUSED if name in services.pausing else "stopped"


def _limits(options: PipelineOptions) -> Limits:
    return Limits(options.max_fps, options.max_age_ms, options.deadline_ms, options.priority)


def _flows(sources: Sequence[str], inputs: Sequence[str], blueprint: Blueprint) -> Mapping[str, Flow]:
    flows = {name: _rule_flow(name.removeprefix("rule:"), blueprint) for name in inputs}
    for name in sources:
        flows[name] = build(blueprint.sources[name], blueprint.device).flow
    return flows


def _rule_flow(rule: str, blueprint: Blueprint) -> Flow:
    """Decisions made of what comes in lockstep come in lockstep too: a replay does not depend on speed.

    Rules do not wait for one another in a circle (see `watching`), so that this comes to an end.
    """
    maker = next((p.options for p in blueprint.pipelines.values() if rule in p.options.rules), None)
    if maker is None:
        return "queue"  # nobody decides it: nothing will ever come
    behind = _flows(maker.all_sources, maker.inputs, blueprint).values()
    return "lockstep" if all(flow == "lockstep" for flow in behind) else "queue"


def _guarded(
    name: str, options: PipelineOptions, blueprint: Blueprint, services: Services
) -> Predictor | ReadingsPredictor:
    """Not a bundle that kills the daemon again and again; with the children, the priority and the counters of a daemon."""
    from edgeinfer.engine.opening import Opening

    post = f"pipeline.{name}"
    bundle, instead = services.crashes.allowed(blueprint.models[options.model].bundle)
    services.health.reporter(post)("bundle", instead or None)
    count = services.health.post(post).meters.count
    opening = Opening(services.children, options.priority, count, marker=services.crashes.marker)
    return _predictor(options.model, blueprint, opening, bundle)


def _predictor(
    model: str, blueprint: Blueprint, opening: Opening | None = None, bundle: Bundle | None = None
) -> Predictor | ReadingsPredictor:
    from edgeinfer.engine.window_predictor import open_either

    part = blueprint.models[model]
    options = structs.replace(part.options, threads=part.options.threads or _share_of_cores(blueprint))
    return open_either(bundle or part.bundle, options, opening)


def _share_of_cores(blueprint: Blueprint) -> int:
    """The cores that this process may use, shared out evenly among the pipelines that infer."""
    inferring = sum(1 for pipeline in blueprint.pipelines.values() if pipeline.options.model)
    return max(1, len(os.sched_getaffinity(0)) // max(1, inferring))


def _rules(pipeline: str, names: Sequence[str], blueprint: Blueprint) -> list[Rule]:
    plugins = [(name, blueprint.rules[name]) for name in names]
    return [plugin.cls(plugin.options, RulePlace(pipeline, name, zone)) for name, plugin in plugins]


def rule_kinds(blueprint: Blueprint) -> dict[str, StateKind]:
    """What the state of each rule that decides is."""
    deciding = [rule for pipeline in blueprint.pipelines.values() for rule in pipeline.options.rules]
    made = {rule: build(blueprint.rules[rule], blueprint.device) for rule in sorted(deciding)}
    return {rule: getattr(one, "states", "binary") for rule, one in made.items()}


def _courier(name: str, plugin: Plugin, blueprint: Blueprint, services: Services) -> Courier:
    options = plugin.options
    topic = plugin.cls.topic_root(options, blueprint.device)
    device, machine_id = blueprint.device, services.machine_id
    encoder = encoder_of(options, EncoderPlace(device, topic, name, machine_id, rule_kinds(blueprint)))
    post = f"sink.{name}"
    report, meters = services.health.reporter(post), services.health.post(post).meters
    box = services.letters.box(post, topic, getattr(options, "commands", ()))
    place = SinkPlace(
        name,
        device,
        machine_id,
        encoder.will(),
        report,
        encoder.listens,
        encoder.heard,
        meters,
        box.asks,
        box.heard,
    )
    sink = plugin.cls(options, place)
    health, fatal = services.health, services.fatal
    return Courier(post, services.outbox, services.states, encoder, sink, health, fatal, box.outgoing)
