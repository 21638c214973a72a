"""A bundle at work: backend chosen, decoder built, and fit, infer and decode in one call per picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from time import perf_counter_ns
from typing import TYPE_CHECKING

import msgspec

from edgeinfer import registry
from edgeinfer.config import Where, decode
from edgeinfer.engine.opening import AnyPredictor, Opening, open_model
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.state import State
from edgeinfer.engine.tflite import role_names
from edgeinfer.errors import BundleError, Problem, nearest
from edgeinfer.events import Detection, Finding, Frame, Inference, Keypoints, Region
from edgeinfer.geometry import IDENTITY, Affine
from edgeinfer.ports import Decoder, DecoderPlace, Session
from edgeinfer.store import Bundle
from edgeinfer.tensors import ModelSpec, TensorSpec

if TYPE_CHECKING:
    from edgeinfer.engine.fit import Fit

_TABLES = ("input", "window", "outputs", "decoder", "state")
"""Where in a manifest a model can turn out not to fit."""


class BundlePredictor:
    """The port `Predictor` over one session, one fit and one decoder; `feeds` is the manifest's [state]."""

    def __init__(
        self,
        identity: str,
        session: Session,
        fit: Fit,
        decoder: Decoder,
        input_name: str,
        feeds: Mapping[str, str] | None = None,
    ) -> None:
        self.identity = identity
        self._session, self._fit, self._decoder, self._input = session, fit, decoder, input_name
        self._echo = bool(getattr(decoder, "needs_input", False))
        self._state = State(session.spec, input_name, feeds or {})

    @property
    def runtime(self) -> str:
        """Of the session, now: an accelerator may be lost and come back."""
        return self._session.runtime

    @property
    def warning(self) -> str:
        return self._session.warning

    def predict(self, frame: Frame) -> Inference:
        start = perf_counter_ns()
        tensor, back = self._fit(frame.pixels)
        fitted = perf_counter_ns()
        source = frame.key[0]
        outputs = self._session.infer({**self._state.inputs(source), self._input: tensor})
        inferred = perf_counter_ns()
        self._state.take(source, outputs)
        if self._echo:
            outputs = {**outputs, self._input: tensor}
        findings = to_picture(self._decoder.decode(outputs), back)
        end = perf_counter_ns()
        timings = {"prepare": fitted - start, "invoke": inferred - fitted, "decode": end - inferred}
        return Inference(frame.key, frame.at, findings, self.identity, timings)

    def forget(self, source: str) -> None:
        self._state.forget(source)

    def close(self) -> None:
        self._session.close()


def to_picture(findings: Iterable[Finding], back: Affine) -> tuple[Finding, ...]:
    """Findings in the picture's coordinates, boxes clipped to it; a box with no part in the picture is left out."""
    placed = (_placed(finding, back) for finding in findings)
    return tuple(f for f in placed if not (isinstance(f, Detection) and f.box.area <= 0))


def _placed(finding: Finding, back: Affine) -> Finding:
    if isinstance(finding, Detection):
        box = (finding.box if back is IDENTITY else back.box(finding.box)).clipped()
        same = box == finding.box
        return finding if same else Detection(finding.label, finding.score, box, finding.track)
    if isinstance(finding, Keypoints):
        points = tuple((*back.point((x, y)), score) for x, y, score in finding.points)
        return Keypoints(finding.label, finding.score, points, finding.track)
    if isinstance(finding, Region):
        return Region(finding.label, finding.score, tuple(map(back.point, finding.outline)), finding.track)
    return finding


def open_predictor(bundle: Bundle, options: ModelOptions, opening: Opening | None = None) -> BundlePredictor:
    """A bundle that takes pictures: opens the first backend that can, and builds fit and decoder.

    With an `opening` (a daemon's) the CPU's file stands ready for an accelerator that fails: see opening.py.

    Raises:
        BundleError: the bundle takes readings, cannot run on any backend, or does not fit its model.
        InferenceLost: a backend's device is away for now, and no other opened.
        InputError: there is no such backend, or its runtime is not installed.
    """
    from edgeinfer.engine.fit import Fit

    wanted = bundle.manifest.input
    if wanted is None:
        raise BundleError(f"{bundle.manifest.where.at('window')}: this model takes readings, not pictures")

    def over(session: Session) -> BundlePredictor:
        source = model_input("input", wanted.name, session.spec)
        fit, decoder = Fit(source, wanted), build_decoder(bundle, session.spec)
        return BundlePredictor(bundle.identity, session, fit, decoder, source.name, bundle.manifest.state)

    return assembled(bundle, options, over, opening)


def assembled(
    bundle: Bundle,
    options: ModelOptions,
    over: Callable[[Session], AnyPredictor],
    opening: Opening | None = None,
) -> AnyPredictor:
    """What `over` builds on the first backend that opens and can be trusted; its errors name file and line."""

    def build(session: Session) -> AnyPredictor:
        role_names(bundle.manifest.outputs, session.spec)
        return over(session)

    try:
        return open_model(bundle, options, build, opening)
    except BundleError as error:
        raise BundleError(
            "\n".join(_located(line, bundle.manifest.where) for line in str(error).splitlines())
        ) from error


def _located(line: str, where: Where) -> str:
    """`decoder.labels: text` with the file and line of that key in front; a line without a key as it is."""
    key, colon, text = line.partition(": ")
    path = key.split(".")
    if not colon or path[0] not in _TABLES:
        return line
    return f"{where.at(*path)}: {text}"


def build_decoder(bundle: Bundle, spec: ModelSpec) -> Decoder:
    """The decoder that the manifest names, with its options decoded strictly.

    Raises:
        BundleError: all wrong options at once, each with its key; or labels, roles and shapes do not fit.
        InputError: there is no such decoder.
    """
    manifest = bundle.manifest
    plugin = registry.find("decoders", manifest.decoder.kind)
    problems: list[Problem] = []
    options: msgspec.Struct | None = decode(manifest.decoder, plugin.Options, problems)
    if options is None:
        raise BundleError("\n".join(map(str, problems)))
    decoder: Decoder = plugin(options, DecoderPlace(bundle.labels, spec, manifest.outputs, bundle.arrays))
    return decoder


def model_input(table: str, name: str, spec: ModelSpec) -> TensorSpec:
    known = [t.name for t in spec.inputs]
    if name in known:
        return spec.input(name)
    if name:
        text = f"the model has no input {name!r}{nearest(name, known)} (its inputs are: {', '.join(known)})"
        raise BundleError(f"{table}.name: {text}")
    if len(known) != 1:
        raise BundleError(
            f"{table}.name: is missing, and the model has {len(known)} inputs: {', '.join(known)}"
        )
    return spec.inputs[0]
