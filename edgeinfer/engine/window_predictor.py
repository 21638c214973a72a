"""A bundle that takes readings at work: collect, compute features, infer and decode; for pictures see predictor.py."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from time import perf_counter_ns
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.engine.opening import Opening
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import (
    BundlePredictor,
    assembled,
    build_decoder,
    model_input,
    open_predictor,
)
from edgeinfer.engine.state import State
from edgeinfer.engine.window import feature_count, features
from edgeinfer.engine.window_collect import Collector
from edgeinfer.errors import BundleError
from edgeinfer.events import Finding, Inference, Instant, Readings
from edgeinfer.ports import Decoder, Session
from edgeinfer.store import Bundle, WindowOptions
from edgeinfer.tensors import TensorSpec, quantize

Array = NDArray[Any]
Standardize = Callable[[Array], Array]


class WindowPredictor:
    """The port `ReadingsPredictor` over one session; each source has windows of its own."""

    def __init__(
        self,
        identity: str,
        session: Session,
        options: WindowOptions,
        standardize: Standardize,
        decoder: Decoder,
        tensor: TensorSpec,
        feeds: Mapping[str, str] | None = None,
    ) -> None:
        self.identity = identity
        self._session, self._options, self._decoder, self._tensor = session, options, decoder, tensor
        self._standardize = standardize
        self._echo = bool(getattr(decoder, "needs_input", False))
        self._collectors: dict[str, Collector] = {}
        self._state = State(session.spec, tensor.name, feeds or {})

    @property
    def runtime(self) -> str:
        """Of the session, now: an accelerator may be lost and come back."""
        return self._session.runtime

    @property
    def warning(self) -> str:
        return self._session.warning

    def read(self, readings: Readings) -> list[Inference]:
        source = readings.key[0]
        if readings.gap_before:
            self._state.forget(source)
        collector = self._collectors.get(source)
        if collector is None:
            collector = self._collectors[source] = Collector(self._options)
        return [self._infer(readings, at, window) for at, window in collector.add(readings)]

    def forget(self, source: str) -> None:
        self._collectors.pop(source, None)
        self._state.forget(source)

    def _infer(self, readings: Readings, at: Instant, window: Array) -> Inference:
        start = perf_counter_ns()
        numbers = self._standardize(features(window, self._options))
        tensor = quantize(numbers, self._tensor).reshape(self._tensor.shape)
        prepared = perf_counter_ns()
        source = readings.key[0]
        outputs = self._session.infer({**self._state.inputs(source), self._tensor.name: tensor})
        inferred = perf_counter_ns()
        self._state.take(source, outputs)
        if self._echo:
            outputs = {**outputs, self._tensor.name: tensor}
        findings: tuple[Finding, ...] = tuple(self._decoder.decode(outputs))
        end = perf_counter_ns()
        timings = {"prepare": prepared - start, "invoke": inferred - prepared, "decode": end - inferred}
        return Inference(readings.key, at, findings, self.identity, timings)

    def close(self) -> None:
        self._session.close()


def open_either(
    bundle: Bundle, options: ModelOptions, opening: Opening | None = None
) -> BundlePredictor | WindowPredictor:
    """What the manifest asks for; raises as the openers of the two do."""
    open_ = open_predictor if bundle.manifest.window is None else open_window_predictor
    return open_(bundle, options, opening)


def open_window_predictor(
    bundle: Bundle, options: ModelOptions, opening: Opening | None = None
) -> WindowPredictor:
    """A bundle whose manifest has `[window]`.

    Raises:
        BundleError: the bundle cannot run on any backend, or does not fit its model; names file and key.
        InferenceLost: a backend's device is away for now, and no other opened.
        InputError: there is no such backend, or its runtime is not installed.
    """
    window = bundle.manifest.window
    if window is None:
        raise BundleError(f"{bundle.manifest.where.at('input')}: this model takes pictures, not readings")
    standardize = standardizer(bundle, window)

    def over(session: Session) -> WindowPredictor:
        tensor = model_input("window", window.name, session.spec)
        _check_shape(window, tensor)
        decoder = build_decoder(bundle, session.spec)
        return WindowPredictor(
            bundle.identity, session, window, standardize, decoder, tensor, bundle.manifest.state
        )

    return assembled(bundle, options, over, opening)


def standardizer(bundle: Bundle, options: WindowOptions) -> Standardize:
    """(feature - mean) / std, on the flat features, by the manifest's `scale`.

    Raises:
        BundleError: the scale is no array of (2, n), or n is neither 1, the channels (raw) nor the features.
    """
    if options.scale is None:
        return lambda numbers: numbers
    where = bundle.manifest.where.at("window", "scale")
    if isinstance(options.scale, str):
        mean, std = _read_scale(bundle, options.scale)
    else:
        mean, std = np.asarray(options.scale.mean), np.asarray(options.scale.std)
    mean, std = _spread(mean, options, where), _spread(std, options, where)
    if not (std > 0).all():
        raise BundleError(f"{where}: expected standard deviations above 0, found {float(std.min()):g}")
    return lambda numbers: (numbers - mean) / std


def _read_scale(bundle: Bundle, name: str) -> tuple[Array, Array]:
    path = bundle.path(name)
    try:
        mean, std = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, TypeError) as error:
        raise BundleError(f"{path}: expected an array of (2, n): means and deviations: {error}") from error
    return mean, std


def _spread(numbers: Array, options: WindowOptions, where: str) -> Array:
    """One number for each feature, float32."""
    count, channels = feature_count(options), len(options.channels)
    allowed = {1, channels, count} if options.features == "raw" else {1, count}
    if numbers.ndim != 1 or len(numbers) not in allowed:
        raise BundleError(
            f"{where}: expected {' or '.join(map(str, sorted(allowed)))} numbers, found {numbers.size}"
        )
    return np.tile(numbers, count // len(numbers)).astype(np.float32)


def _check_shape(options: WindowOptions, tensor: TensorSpec) -> None:
    count = feature_count(options)
    if math.prod(tensor.shape) != count or -1 in tensor.shape:
        kind = f"{options.length} readings" if options.features == "raw" else "its bands and bins"
        raise BundleError(
            f"window.length: {kind} of {len(options.channels)} channel(s) make {count} numbers; "
            f"the model's input {tensor.name!r} has the shape {tensor.shape}"
        )
