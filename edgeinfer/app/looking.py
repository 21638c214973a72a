"""From a pipeline's options to what looks for it: a model, a cascade of several, another one for each recipe."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import structs

from edgeinfer.app.options import PipelineOptions, StageOptions
from edgeinfer.backoff import Backoff
from edgeinfer.engine.options import ModelOptions
from edgeinfer.errors import BundleError, InferenceLost
from edgeinfer.ports import Predictor, ReadingsPredictor
from edgeinfer.runtime.judging import Choice
from edgeinfer.store import Bundle
from edgeinfer.tracking.identities import Identities

if TYPE_CHECKING:
    from edgeinfer.app.blueprint import Blueprint, Model
    from edgeinfer.app.plan import Services
    from edgeinfer.engine.cascade import Count, Stage
    from edgeinfer.engine.opening import Opening


OpenModel = Callable[[str, Bundle, ModelOptions, "Opening | None"], "Predictor | ReadingsPredictor"]
"""`open_model(pipeline, bundle, options, opening)`: a replay opens several at once, or remembers what they said."""


def open_here(
    pipeline: str, bundle: Bundle, options: ModelOptions, opening: Opening | None
) -> Predictor | ReadingsPredictor:
    """As a daemon does."""
    from edgeinfer.engine.window_predictor import open_either

    del pipeline
    return open_either(bundle, options, opening)


@dataclass(frozen=True)
class Looking:
    """What it takes to open the models of one pipeline. Engines are imported where a model is opened, not before."""

    name: str
    blueprint: Blueprint
    services: Services
    choice: Choice

    @property
    def options(self) -> PipelineOptions:
        return self.blueprint.pipelines[self.name].options

    def open(self) -> Predictor | ReadingsPredictor:
        """Not a bundle that kills the daemon again and again; with the children, the priority and the counters of a daemon."""
        models, recipes = self.blueprint.models, self.blueprint.recipes_of(self.name)
        others = {
            value: {**models, **recipe.models}
            for value, recipe in recipes.items()
            if not set(self.options.all_models).isdisjoint(recipe.models)
        }
        first = self._chain(models)
        if not others:
            return first
        opened = {"": _of_pictures(first)}
        try:
            for value, changed in others.items():
                opened[value] = _of_pictures(self._chain(changed))
        except BaseException:
            for predictor in opened.values():
                predictor.close()
            raise
        return self._switched(opened)

    def _switched(self, opened: Mapping[str, Predictor]) -> Predictor:
        from edgeinfer.engine.switched import Switched

        return Switched(opened, lambda: self.choice.recipe)

    def _chain(self, models: Mapping[str, Model]) -> Predictor | ReadingsPredictor:
        if not self.options.stages:
            return self._opened(self.options.model, models[self.options.model])
        named: dict[str, Predictor] = {}
        try:
            for name in self.options.all_models:
                named[name] = _of_pictures(self._opened(name, models[name]))
        except BaseException:
            for predictor in named.values():
                predictor.close()
            raise
        return self._cascade(named)

    def _cascade(self, named: Mapping[str, Predictor]) -> Predictor:
        from edgeinfer.engine.cascade import Cascade, Chain

        options = self.options
        count = self.services.health.post(f"pipeline.{self.name}").meters.count
        stages = [
            _stage(n, stage, named, round(options.deadline_ms * 1e6), count)
            for n, stage in enumerate(options.stages)
        ]
        early = sum(1 for stage in options.stages if stage.model and stage.on == "picture")
        identify = Identities(options.track) if options.track else None
        return Cascade(Chain(named, stages, early, identify), count)

    def _opened(self, name: str, model: Model) -> Predictor | ReadingsPredictor:
        from edgeinfer.engine.opening import Opening

        services, post = self.services, f"pipeline.{self.name}"
        bundle, instead = _allowed(model.bundle, services)
        topic = "bundle" if len(self.options.all_models) == 1 else f"bundle {name}"
        services.health.reporter(post)(topic, instead or None)
        count = services.health.post(post).meters.count
        retry_s = model.options.retry_s
        opening = Opening(
            services.children,
            self.options.priority,
            count,
            backoff=lambda: Backoff(min(0.5, retry_s), retry_s),
            marker=services.crashes.marker,
        )
        options = with_threads(model, self.blueprint)
        return services.open_model(self.name, bundle, options, opening)


def _allowed(wanted: Bundle, services: Services) -> tuple[Bundle, str]:
    """That, or the version before it; what to say then. Raises InferenceLost where none may run."""
    sound, crashed = services.crashes.allowed(wanted)
    trusted, distrusted = services.trust.allowed(sound)
    if trusted.identity != sound.identity and services.crashes.allowed(trusted)[1]:
        raise InferenceLost(f"{distrusted}, but that one has crashed this process before: it is left out")
    return trusted, ". ".join(filter(None, (crashed, distrusted)))


def with_threads(model: Model, blueprint: Blueprint) -> ModelOptions:
    """Its options, with its share of the cores where the user names no number."""
    return structs.replace(model.options, threads=model.options.threads or _share_of_cores(blueprint))


def _of_pictures(model: Predictor | ReadingsPredictor) -> Predictor:
    if isinstance(model, ReadingsPredictor):
        raise BundleError(
            f"{model.identity} takes readings; stages and recipes choose between models of pictures"
        )
    return model


def _share_of_cores(blueprint: Blueprint) -> int:
    """The cores that this process may use, shared out evenly among the pipelines that infer."""
    inferring = sum(1 for pipeline in blueprint.pipelines.values() if pipeline.options.model)
    return max(1, len(os.sched_getaffinity(0)) // max(1, inferring))


def _stage(
    n: int, options: StageOptions, named: Mapping[str, Predictor], deadline_ns: int, count: Count
) -> Stage:
    from edgeinfer.engine.cascade import Meant, WholePicture
    from edgeinfer.engine.crops import Crops, Cut
    from edgeinfer.engine.repeats import Again, Repeats

    meant = Meant(frozenset(options.wanted), options.above, options.below)
    if options.pictures:
        within_ns = round(options.within_ms * 1e6) or deadline_ns
        return Repeats(f"stage{n}", meant, Again(options.pictures, options.combine, within_ns), count)
    if options.on == "crop":
        return Crops(options.model, meant, named[options.model], Cut(options.pad, options.most), count)
    return WholePicture(options.model, meant, named[options.model], count)
