"""What a replay saw and inferred, kept so that other rules can be tried on it at once; no pixels are kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from edgeinfer.app.blueprint import Blueprint
from edgeinfer.app.looking import OpenModel
from edgeinfer.app.probe import Plugin
from edgeinfer.engine.opening import Opening
from edgeinfer.engine.options import ModelOptions
from edgeinfer.events import Frame, Inference, Instant, Key, Readings, Sample
from edgeinfer.ports import Flow, Predictor, ReadingsPredictor, SourcePlace, Stop
from edgeinfer.store import Bundle
from edgeinfer.taps import Seen

_NO_PIXELS = np.zeros((1, 1, 3), np.uint8)
_Asked = tuple[str, Key, Instant, int]
"""Which model was asked what, and the how manieth time: parts of a picture have the key of the whole."""

_NO_MATTER = ("rules", "inputs", "track", "keep", "priority", "deadline_ms", "max_age_ms")
"""Options of a pipeline that change nothing of what a replay infers."""


class Memory:
    """Of one replay: `tap` and `open` go to the first run, `again` and `recall` to those that follow."""

    def __init__(self) -> None:
        self.samples: dict[str, list[Sample]] = {}
        self._inferred: dict[_Asked, list[Inference]] = {}

    def tap(self, post: str, seen: Seen) -> None:
        if post.startswith("source.") and isinstance(seen, Sample):
            kept = replace(seen, pixels=_NO_PIXELS) if isinstance(seen, Frame) else seen
            self.samples.setdefault(seen.key[0], []).append(kept)

    def opening(self, first: OpenModel) -> OpenModel:
        """`first`, and what it says is remembered."""

        def open_(
            pipeline: str, bundle: Bundle, options: ModelOptions, opening: Opening | None
        ) -> Predictor | ReadingsPredictor:
            predictor = first(pipeline, bundle, options, opening)
            if isinstance(predictor, ReadingsPredictor):
                return _RememberingReader(predictor, bundle.identity, self._inferred)
            return _Remembering(predictor, bundle.identity, self._inferred)

        return open_

    def recall(
        self, pipeline: str, bundle: Bundle, options: ModelOptions, opening: Opening | None
    ) -> Predictor | ReadingsPredictor:
        """A predictor that knows the answers."""
        del pipeline, options, opening
        if bundle.manifest.window is not None:
            return _RecallingReader(bundle.identity, self._inferred)
        return _Recalling(bundle.identity, self._inferred)

    def again(self, blueprint: Blueprint) -> Blueprint:
        """The same with sources that give what was seen."""
        sources = {
            name: Plugin(plugin.part, Again, AgainOptions(tuple(self.samples.get(name, ()))))
            for name, plugin in blueprint.sources.items()
        }
        return replace(blueprint, sources=sources)


@dataclass(frozen=True)
class AgainOptions:
    """The samples of one source, in order."""

    samples: Sequence[Sample]


class Again:
    """A source that gives what it is given, in lockstep."""

    block_s = 5.0
    flow: Flow = "lockstep"
    Options = AgainOptions

    def __init__(self, options: AgainOptions, place: SourcePlace) -> None:
        del place
        self._samples = options.samples

    def samples(self, stop: Stop) -> Iterator[Sample]:
        for sample in self._samples:
            if stop.is_set():
                return
            yield sample


class _Counted:
    """Numbers the questions about one sample; they come in order, so that the last sample alone is remembered."""

    def __init__(self, name: str) -> None:
        self._name, self._last, self._count = name, ("", -1), 0

    def __call__(self, asked: Frame | Readings) -> _Asked:
        self._count = self._count + 1 if asked.key == self._last else 0
        self._last = asked.key
        return self._name, asked.key, asked.at, self._count


class _Passing:
    """What is the same in both: the answers are those of `inner`."""

    def __init__(self, inner: Any, name: str, inferred: dict[_Asked, list[Inference]]) -> None:
        self._inner, self._inferred, self._asked = inner, inferred, _Counted(name)
        self.identity: str = inner.identity

    @property
    def runtime(self) -> str:
        return str(self._inner.runtime)

    @property
    def warning(self) -> str:
        return str(self._inner.warning)

    def forget(self, source: str) -> None:
        self._inner.forget(source)

    def close(self) -> None:
        self._inner.close()

    def _keep(self, asked: Frame | Readings, answer: Iterable[Inference]) -> None:
        self._inferred[self._asked(asked)] = list(answer)


class _Remembering(_Passing):
    def predict(self, frame: Frame) -> Inference:
        found: Inference = self._inner.predict(frame)
        self._keep(frame, [found])
        return found


class _RememberingReader(_Passing):
    def read(self, readings: Readings) -> Sequence[Inference]:
        found: Sequence[Inference] = self._inner.read(readings)
        self._keep(readings, found)
        return found


class _Known:
    """A predictor without a model."""

    runtime, warning = "remembered", ""

    def __init__(self, identity: str, inferred: dict[_Asked, list[Inference]]) -> None:
        self.identity, self._inferred, self._asked = identity, inferred, _Counted(identity)

    def forget(self, source: str) -> None:
        """The answers were given with that in mind."""

    def close(self) -> None:
        """Nothing was opened."""

    def _of(self, asked: Frame | Readings) -> list[Inference]:
        return self._inferred[self._asked(asked)]


class _Recalling(_Known):
    def predict(self, frame: Frame) -> Inference:
        return self._of(frame)[0]


class _RecallingReader(_Known):
    def read(self, readings: Readings) -> Sequence[Inference]:
        return self._of(readings)


def same_inputs(one: Blueprint, other: Blueprint) -> bool:
    """Whether what was inferred for `one` is what would be inferred for `other`."""

    def asked(blueprint: Blueprint) -> bytes:
        pipelines = {
            name: {k: v for k, v in msgspec.to_builtins(p.options).items() if k not in _NO_MATTER}
            for name, p in blueprint.pipelines.items()
            if p.options.model
        }
        models = {name: [m.part.options, m.bundle.identity] for name, m in blueprint.models.items()}
        sources = {name: [p.part.kind, p.part.options] for name, p in blueprint.sources.items()}
        return msgspec.json.encode([pipelines, models, sources], order="deterministic", enc_hook=str)

    return asked(one) == asked(other)
