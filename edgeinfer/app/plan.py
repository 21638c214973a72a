"""From a blueprint to a Plan: which post is built how, and when a change of the config touches it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256

import msgspec

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.crashes import Crashes
from edgeinfer.app.encoding import describes, encoder_of
from edgeinfer.app.judges import judge_of, rules_of
from edgeinfer.app.looking import Looking, OpenModel, open_here
from edgeinfer.app.options import PipelineOptions
from edgeinfer.app.probe import Plugin, build
from edgeinfer.app.trust import Trust
from edgeinfer.clock import SourceStamp
from edgeinfer.commands.letterbox import Letterboxes
from edgeinfer.commons import Commons
from edgeinfer.config import Part
from edgeinfer.engine.process import Children
from edgeinfer.measures import measured
from edgeinfer.ports import (
    Clock,
    EncoderPlace,
    Flow,
    SinkPlace,
    Source,
    SourcePlace,
    StateKind,
)
from edgeinfer.runtime.aside import Aside
from edgeinfer.runtime.courier import Courier
from edgeinfer.runtime.feed import Feed
from edgeinfer.runtime.health import Health
from edgeinfer.runtime.intake import Limits
from edgeinfer.runtime.judging import Choice
from edgeinfer.runtime.loop import Fatal
from edgeinfer.runtime.mailbox import READ_AHEAD, Hub, Inbox
from edgeinfer.runtime.outbox import Outbox
from edgeinfer.runtime.paused import PAUSED, Paused
from edgeinfer.runtime.pipeline import Commit, Line, Pipeline
from edgeinfer.runtime.states import States
from edgeinfer.runtime.supervisor import Plan, Spec
from edgeinfer.taps import Taps
from edgeinfer.tracking.identities import Identities

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
    trust: Trust = field(default_factory=Trust)
    children: Children = field(default_factory=Children)
    aside: Aside = field(default_factory=Aside)
    open_model: OpenModel = open_here
    read_ahead: int = READ_AHEAD


def plan(blueprint: Blueprint, services: Services) -> Plan:
    """All posts of `blueprint`. Nothing is opened: a post opens its device in its own thread."""
    services.pausing.clear()
    services.pausing.update(blueprint.overrides.paused)
    services.commons.seated = frozenset(seat.port for seat in blueprint.seats().values())
    specs: dict[str, Spec] = {}
    for name, sink in blueprint.sinks.items():
        bring = partial(_courier, name, sink, blueprint, services)
        described = str(rule_kinds(blueprint)) if describes(sink.options) else ""  # to others
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
    models = [blueprint.models[model] for model in options.all_models]
    for recipe in blueprint.recipes_of(name).values():
        parts.append(recipe.part)
        models += recipe.models.values()
    for model in models:
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
    choice = Choice()
    line = Line(
        name=name,
        inbox=Inbox(
            _flows(options.all_sources, options.inputs, blueprint), _limits(options), services.read_ahead
        ),
        open=Looking(name, blueprint, services, choice).open if options.model else None,
        rules=lambda: list(rules_of(name, blueprint, "").values()),
        config=identity,
        gives=options.rules,
        why_stopped=partial(_why_stopped, name, services),
        identify=partial(Identities, options.track) if options.track and not options.stages else None,
        judge=partial(judge_of, name, blueprint, services.health, choice),
        measure=measured
        if any(getattr(blueprint.rules[r].cls, "measures", False) for r in options.rules)
        else None,
    )
    commit = Commit(services.outbox, services.states)
    return Pipeline(line, commit, services.hub, services.taps, services.health, services.fatal)


def _paused(name: str, _identity: str, blueprint: Blueprint, services: Services) -> Paused:
    rules = blueprint.pipelines[name].options.rules
    return Paused(name, rules, services.states, services.health)


def _why_stopped(name: str, services: Services) -> str:
    return PAUSED if name in services.pausing else "stopped"


def _limits(options: PipelineOptions) -> Limits:
    """A trigger waits in the same mailbox as the rest: none may be skipped for its age, the judge looks after that."""
    deadline_ms = 0.0 if options.trigger_source else options.deadline_ms
    return Limits(options.max_fps, options.max_age_ms, deadline_ms, options.priority)


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


def rule_kinds(blueprint: Blueprint) -> dict[str, StateKind]:
    """What the state of each rule that decides is."""
    deciding = [rule for pipeline in blueprint.pipelines.values() for rule in pipeline.options.rules]
    made = {rule: build(blueprint.rules[rule], blueprint.device) for rule in sorted(deciding)}
    return {rule: getattr(one, "states", "binary") for rule, one in made.items()}


def _courier(name: str, plugin: Plugin, blueprint: Blueprint, services: Services) -> Courier:
    options = plugin.options
    topic = plugin.cls.topic_root(options, blueprint.device)
    device, machine_id = blueprint.device, services.machine_id
    post = f"sink.{name}"
    encoder_place = EncoderPlace(
        device,
        topic,
        name,
        machine_id,
        rule_kinds(blueprint),
        connects=partial(services.outbox.count_connect, post),
        unix_ns=lambda: services.clock.now().unix_ns,
    )
    encoder = encoder_of(options, encoder_place)
    report, meters = services.health.reporter(post), services.health.post(post).meters
    box = services.letters.box(post, topic, getattr(options, "commands", ()))
    place = SinkPlace(
        name,
        device,
        machine_id,
        encoder.will,
        report,
        encoder.listens,
        encoder.heard,
        meters,
        box.asks,
        box.heard,
    )
    sink = plugin.cls(options, place)
    health, fatal, aside = services.health, services.fatal, services.aside
    return Courier(
        post, services.outbox, services.states, encoder, sink, health, fatal, aside, outgoing=box.outgoing
    )
