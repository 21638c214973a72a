"""Which backend runs a bundle: the first that opens; in a daemon with the CPU's file ready when that one fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import msgspec

from edgeinfer import registry
from edgeinfer.backoff import Backoff
from edgeinfer.engine.fallback import Candidate, FallbackSession
from edgeinfer.engine.isolated import IsolatedSession, place_of
from edgeinfer.engine.marker import MarkedSession, Marker
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.process import Children
from edgeinfer.errors import BundleError, EdgeinferError, InferenceLost, InputError
from edgeinfer.ports import Backend, ModelFile, Predictor, ReadingsPredictor, Session
from edgeinfer.store import Bundle

AnyPredictor = TypeVar("AnyPredictor", bound="Predictor | ReadingsPredictor")

HANG_S = 0.4
"""Where the CPU can go on at once: well above any inference of an Edge TPU, well below the second that is promised."""
_GOLDEN = 4  # inputs that an accelerator is asked before it is trusted


@dataclass(frozen=True)
class Opening:
    """How a daemon opens its models.

    `count` counts what happens to accelerators (`accelerator_lost`, `accelerator_back`, `accelerator_tries`,
    `accelerator_busy`). `patience_s` is how long the first inference waits for an accelerator to open. The `marker`
    knows what runs in this process.
    """

    children: Children = field(default_factory=Children)
    priority: int = 5
    count: Callable[[str], None] = lambda _: None
    backoff: Callable[[], Backoff] = lambda: Backoff(0.5, 60.0)
    patience_s: float = 0.8
    marker: Marker | None = None


def open_model(
    bundle: Bundle,
    options: ModelOptions,
    build: Callable[[Session], AnyPredictor],
    opening: Opening | None,
) -> AnyPredictor:
    """What `build` makes of the first backend that opens and can be trusted; all errors when none does.

    With an `opening`, accelerators that stand before a backend that does not accelerate are opened beside it, in a
    thread of their own: that one goes on whenever they fail.
    """
    way = opening or Opening()
    backends = [(name, backend_of(name, options, way.children)) for name in options.backends]
    models = [_Model(name, backend, bundle, options, way) for name, backend in backends]
    twin = next((n for n, model in enumerate(models) if not model.accelerates), 0)
    if opening is None or twin == 0:
        return _first(models, bundle, build)
    return _beside(models[:twin], models[twin], bundle, build, opening)


class _Model:
    """A bundle's file on one backend, not opened yet."""

    def __init__(
        self, name: str, backend: Backend, bundle: Bundle, options: ModelOptions, way: Opening
    ) -> None:
        self.name, self.accelerates, self.variant = name, backend.accelerates, backend.files[0]
        self._backend, self._bundle, self._options, self._way = backend, bundle, options, way

    def open(self, hang_s: float = 0.0) -> Session:
        options = self._options
        isolate = self._backend.isolates if options.isolate is None else options.isolate
        file = self._bundle.model(self._backend.files, options.threads, isolate=isolate)
        python = options.python if self.accelerates or len(options.backends) == 1 else ""
        hang_s = options.hang_s or hang_s
        return self._marked(replace(file, python=python, hang_s=hang_s, priority=self._way.priority))

    def _marked(self, file: ModelFile) -> Session:
        """What runs in this process stands in the marker: opening it, too."""
        marker, name = self._way.marker, f"{self._bundle.identity} on {self.name}"
        if marker is None or file.isolate:
            return self._backend.open(file)
        with marker.at(name):
            session = self._backend.open(file)
        return session if isinstance(session, IsolatedSession) else MarkedSession(session, marker, name)


def _first(
    models: Sequence[_Model], bundle: Bundle, build: Callable[[Session], AnyPredictor]
) -> AnyPredictor:
    refusals: list[tuple[str, EdgeinferError]] = []
    for model in models:
        try:
            return _trusted(model, bundle, build)
        except EdgeinferError as error:
            refusals.append((model.name, error))
    raise _all(refusals)


def _all(refusals: Sequence[tuple[str, EdgeinferError]]) -> EdgeinferError:
    """One error of several: worth a new try when one of them is."""
    if len(refusals) == 1:
        return refusals[0][1]
    lost = any(isinstance(error, InferenceLost) for _, error in refusals)
    text = "\n".join(f"backend {name}: {error}" for name, error in refusals)
    return (InferenceLost if lost else BundleError)(text)


def _trusted(model: _Model, bundle: Bundle, build: Callable[[Session], AnyPredictor]) -> AnyPredictor:
    """On its own: an accelerator has to find what the bundle says of its golden inputs."""
    session = model.open()
    try:
        predictor = build(session)
        if model.accelerates:
            _trust(bundle, predictor, model.variant)
    except BaseException:
        session.close()
        raise
    return predictor


def _trust(bundle: Bundle, predictor: Predictor | ReadingsPredictor, variant: str) -> None:
    """Raises InferenceLost: it finds something else than the bundle's golden inputs are known to hold."""
    from edgeinfer.engine.golden import doubts

    if doubt := doubts(bundle, predictor, variant):
        raise InferenceLost(f"{predictor.runtime} is not trusted: {doubt}")


def _beside(
    better: Sequence[_Model],
    twin: _Model,
    bundle: Bundle,
    build: Callable[[Session], AnyPredictor],
    opening: Opening,
) -> AnyPredictor:
    """An accelerator has to find in the golden inputs what the twin finds here."""
    from edgeinfer.engine.golden import answers, parts_from

    try:
        session = twin.open()
    except EdgeinferError as error:  # no file for it, or no runtime: the accelerators are alone
        try:
            return _first(better, bundle, build)
        except EdgeinferError as other:
            raise _all([(better[0].name, other), (twin.name, error)]) from other
    try:
        known = answers(bundle, build(session), _GOLDEN)
        variants = {model.name: model.variant for model in better}
        candidates = [
            Candidate(model.name, lambda model=model: model.open(HANG_S), opening.backoff())  # type: ignore[misc]  # mypy cannot infer a lambda with a default
            for model in better
        ]
        both = FallbackSession(
            session,
            candidates,
            lambda found, name: parts_from(bundle, build(found), known, variants[name]),
            opening.count,
            opening.patience_s,
        )
    except BaseException:
        session.close()
        raise
    return build(both)


def backend_of(name: str, options: ModelOptions, children: Children | None = None) -> Backend:
    """The backend of this name, built from its table.

    Raises:
        InputError: there is none of this name, or its table is wrong.
    """
    plugin = registry.find("backends", name)
    try:
        table = msgspec.convert(options.of(name), plugin.Options)
        backend: Backend = plugin(table, place_of(children or Children()))
    except (msgspec.ValidationError, InputError) as error:
        raise InputError(f"{name}: {error}") from error
    return backend
