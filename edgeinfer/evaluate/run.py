"""A bundle over a data set, sample after sample: what it found and how long it took; judges nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from edgeinfer import registry
from edgeinfer.engine.opening import backend_of
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.window_predictor import open_either
from edgeinfer.errors import BundleError, InputError
from edgeinfer.evaluate.examples import Dataset, Example
from edgeinfer.events import Finding, Frame, Inference, Readings, Value
from edgeinfer.ports import Predictor, ReadingsPredictor
from edgeinfer.store import Bundle
from edgeinfer.store.bundle import file_sha256

NOTHING = "nothing"
"""What a model says that finds nothing in a sample."""

_RANKED = frozenset({"ssd", "yolo"})
"""Decoders whose findings keep their boxes when the threshold falls; `grid` joins more cells then."""

_LOW_SCORE = 0.01


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found in one picture or window; `size_px` is width, height of the picture, (1, 1) of a window."""

    example: Example
    findings: tuple[Finding, ...]
    size_px: tuple[int, int]
    invoke_ns: int

    @property
    def best(self) -> str:
        """The label of the surest finding."""
        return max(self.findings, key=strength).label if self.findings else NOTHING

    @property
    def value(self) -> float:
        """The largest score or value; 0 where nothing is found."""
        return max(map(strength, self.findings), default=0.0)


@dataclass(frozen=True, slots=True)
class Run:
    """All answers of one backend, in the order of the data; `warning` as the predictor's, `size_bytes` of its file."""

    backend: str
    runtime: str
    warning: str
    size_bytes: int
    answers: Sequence[Answer]


def strength(finding: Finding) -> float:
    return finding.value if isinstance(finding, Value) else finding.score


def run(
    bundle: Bundle,
    data: Dataset,
    backend: str,
    options: ModelOptions | None = None,
    step: Callable[[], object] = int,
) -> Run:
    """Every example through fit or window, runtime and decoder; `step` is called after each.

    Args:
        bundle: what is run.
        data: what it is shown.
        backend: by name; alone, so that no other steps in where it does not open.
        options: threads and the tables of backends; its bundle and backends do not matter.
        step: told after each example.

    Raises:
        BundleError: the bundle cannot run on this backend.
        InferenceLost: the backend's device is away, or went away.
        InputError: a picture or a file of readings is damaged, or there is no such backend.
    """
    asked = msgspec.structs.replace(options or ModelOptions(bundle=""), backends=(backend,))
    size_bytes = _model_bytes(bundle, backend, asked)
    predictor = open_either(bundle, asked)
    try:
        answers: list[Answer] = []
        for example in data.examples:
            answers += _answers(predictor, example)
            step()
    finally:
        predictor.close()
    if not answers:
        window = bundle.manifest.window
        raise InputError(f"no stretch of readings fills a window of {window.length if window else 1} rows")
    return Run(backend, predictor.runtime, predictor.warning, size_bytes, answers)


def _model_bytes(bundle: Bundle, backend: str, options: ModelOptions) -> int:
    """Size of the file that this backend takes."""
    path = Path(bundle.model(backend_of(backend, options).files).path)
    try:
        return path.stat().st_size
    except OSError as error:
        raise BundleError(f"{path}: {error.strerror}") from error


def _answers(predictor: Predictor | ReadingsPredictor, example: Example) -> Iterator[Answer]:
    sample = example.load()
    if isinstance(sample, Readings) and isinstance(predictor, ReadingsPredictor):
        yield from (_answer(example, seen, (1, 1)) for seen in predictor.read(sample))
    elif isinstance(sample, Frame) and not isinstance(predictor, ReadingsPredictor):
        height, width = sample.pixels.shape[:2]
        yield _answer(example, predictor.predict(sample), (width, height))
    else:
        raise InputError(f"{example.name}: the model takes no {type(sample).__name__.lower()}")


def _answer(example: Example, seen: Inference, size_px: tuple[int, int]) -> Answer:
    return Answer(example, seen.findings, size_px, seen.timings["invoke"])


def own_score(bundle: Bundle) -> float:
    """The threshold of the bundle's decoder: the manifest's, else the decoder's default; 0 without one."""
    decoder = bundle.manifest.decoder
    fields = msgspec.structs.fields(registry.find("decoders", decoder.kind).Options)
    default = next((field.default for field in fields if field.name == "score"), 0.0)
    return float(decoder.options.get("score", default))


def unthresholded(bundle: Bundle) -> Bundle:
    """The same with a threshold so low that a curve of precision over recall can be drawn."""
    decoder = bundle.manifest.decoder
    if decoder.kind not in _RANKED:
        return bundle
    low = replace(decoder, options={**decoder.options, "score": _LOW_SCORE})
    return replace(bundle, manifest=replace(bundle.manifest, decoder=low))


def with_model(bundle: Bundle, file: Path) -> Bundle:
    """`bundle` with a bare .tflite in its place, whose tensors are the same: float before int8, say.

    Where the bundle has one output role, the role takes the one output of the file, whatever its name.

    Raises:
        BundleError: the file is missing or no model.
    """
    from edgeinfer.engine.describe import describe

    outputs = [tensor.name for tensor in describe(file).spec.outputs]
    roles = bundle.manifest.outputs
    if len(roles) == len(outputs) == 1:
        roles = dict.fromkeys(roles, outputs[0])
    path, digest = str(file.absolute()), file_sha256(file)
    known = registry.kinds("backends")
    manifest = replace(
        bundle.manifest,
        variants=dict.fromkeys((*bundle.manifest.variants, *known), path),
        files={**bundle.manifest.files, path: digest},
        outputs=roles,
        golden=(),
    )
    return replace(bundle, manifest=manifest, identity=f"{file.name}@sha256:{digest[:12]}")
