"""A bundle's golden pictures or readings on this device: what was found against what its maker found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import BundleError
from edgeinfer.events import Finding, Frame, Instant, Readings, Value, box_of
from edgeinfer.geometry import Box, iou
from edgeinfer.ports import Predictor, ReadingsPredictor
from edgeinfer.store import Bundle, Tolerance

Answers = Mapping[str, Sequence[Finding]]
"""Golden input → what was found in it."""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of a golden .json; `box` (x0 y0 x1 y1, normalised to the picture) is absent for a class score or a value."""

    label: str
    score: float
    box: tuple[float, float, float, float] | None = None


class Comparison(msgspec.Struct, frozen=True):
    """One golden picture. `worst_iou` and `worst_score` (a difference) are over the pairs that were made."""

    input: str
    expected: int
    found: int
    worst_iou: float
    worst_score: float
    wrong: tuple[str, ...]  # what is out of tolerance, each a sentence
    made_of: str = "picture"

    @property
    def passed(self) -> bool:
        return not self.wrong

    @property
    def tolerable(self) -> bool:
        """Passed, or of noise: what a model sees where nothing is says little about the device."""
        return self.passed or self.made_of == "noise"


def verify(
    bundle: Bundle, predictor: Predictor | ReadingsPredictor, backend: str = "cpu"
) -> Iterator[Comparison]:
    """Runs the golden pictures or readings one after another, with the tolerance that the manifest has for `backend`.

    Raises:
        BundleError: a golden file is no picture, no readings, or no list of findings.
    """
    tolerance = bundle.manifest.tolerance.get(backend, Tolerance())
    near = _near(bundle, tolerance)
    for golden in bundle.manifest.golden:
        expected = _expected(bundle.path(golden.expect))
        found = findings(bundle, bundle.path(golden.input), predictor)
        yield msgspec.structs.replace(
            compare(golden.input, expected, found, near, tolerance), made_of=golden.made_of
        )


def answers(bundle: Bundle, predictor: Predictor | ReadingsPredictor, at_most: int) -> Answers:
    """What `predictor` finds in the first `at_most` golden inputs; noise is left out, it casts no doubt."""
    asked = [golden for golden in bundle.manifest.golden if golden.made_of != "noise"]
    return {g.input: findings(bundle, bundle.path(g.input), predictor) for g in asked[:at_most]}


def parts_from(bundle: Bundle, predictor: Predictor | ReadingsPredictor, known: Answers, backend: str) -> str:
    """Where `predictor` finds something else than the answers `known`: a sentence an input; "" where all is the same."""
    tolerance, wrong = bundle.manifest.tolerance.get(backend, Tolerance()), []
    for name, expected in known.items():
        found = findings(bundle, bundle.path(name), predictor)
        result = compare(name, map(_told, expected), found, _near(bundle, tolerance), tolerance)
        wrong += [f"{name}: {result.wrong[0]}"] if result.wrong else []
    return "; ".join(wrong)


def _near(bundle: Bundle, tolerance: Tolerance) -> float:
    return float(bundle.manifest.decoder.options.get("score", 0.0)) + tolerance.score


def doubts(bundle: Bundle, predictor: Predictor | ReadingsPredictor, backend: str) -> str:
    """Why an accelerator is not to be trusted with this bundle: what it finds otherwise; "" where it finds all.

    A bundle without golden inputs is taken at its word; what comes out of noise casts no doubt.
    """
    seen = verify(bundle, predictor, backend)
    wrong = [f"{result.input}: {result.wrong[0]}" for result in seen if not result.tolerable]
    return f"its answers part from the bundle's golden ones: {'; '.join(wrong)}" if wrong else ""


def expected_of(found: Iterable[Finding]) -> bytes:
    """What was found as the JSON of a golden pair, best first."""
    rounded = [Expected(e.label, round(e.score, 4), _rounded(e.box)) for e in map(_told, found)]
    plain = [{k: v for k, v in msgspec.to_builtins(e).items() if v is not None} for e in rounded]
    return msgspec.json.format(msgspec.json.encode(plain)) + b"\n"


def _rounded(box: tuple[float, float, float, float] | None) -> tuple[float, float, float, float] | None:
    return None if box is None else (round(box[0], 4), round(box[1], 4), round(box[2], 4), round(box[3], 4))


def findings(bundle: Bundle, path: Path, predictor: Predictor | ReadingsPredictor) -> Sequence[Finding]:
    """Of a picture; of readings, what is found in all their windows together."""
    key, at = (path.name, 0), Instant("", 0, 0)  # a source of its own: nothing carries over
    if not isinstance(predictor, ReadingsPredictor):
        return predictor.predict(Frame(key, at, _picture(path))).findings
    window = bundle.manifest.window
    if window is None:
        raise BundleError(f"{bundle.manifest.where.at('input')}: takes pictures, and its predictor readings")
    rows, period_ns = _rows(path, len(window.channels)), round(1e9 / window.rate_hz)
    seen = predictor.read(Readings(key, at, window.channels, rows, period_ns, gap_before=True))
    return [finding for inference in seen for finding in inference.findings]


def compare(
    name: str,
    expected: Iterable[Expected],
    found: Iterable[Finding],
    near: float,
    tolerance: Tolerance = Tolerance(),  # noqa: B008  frozen
) -> Comparison:
    """Pairs each expected finding with the best of its label, one to one.

    A finding whose score is below `near` stands at the decoder's threshold: a quantum decides whether it is
    there, so it may be missing, or be one more.
    """
    wanted, left = list(expected), [_told(f) for f in found]
    count, wrong, ious, scores = len(left), [], [1.0], [0.0]
    for want in sorted(wanted, key=lambda w: -w.score):
        same = [have for have in left if have.label == want.label]
        best = max(same, key=lambda have: (_overlap(want, have), -abs(want.score - have.score)), default=None)
        if best is None or _overlap(want, best) < tolerance.iou:
            if want.score >= near:
                wrong.append(
                    f"{_shown(want)} was expected and not found"
                    + (f" (nearest: {_shown(best)})" if best else "")
                )
            continue
        left.remove(best)
        ious.append(_overlap(want, best))
        scores.append(abs(want.score - best.score))
        if scores[-1] > tolerance.score * max(1.0, abs(want.score)):
            wrong.append(f"{_shown(want)} was expected, its score is {best.score:.3f}")
    wrong += [f"{_shown(more)} was found and not expected" for more in left if more.score >= near]
    return Comparison(name, len(wanted), count, min(ious), max(scores), tuple(wrong))


def _told(finding: Finding) -> Expected:
    """Points and outlines by the box around them: what is wrong with a backend moves it."""
    if isinstance(finding, Value):
        return Expected(finding.label, finding.value)
    return Expected(finding.label, finding.score, box_of(finding))


def _overlap(a: Expected, b: Expected) -> float:
    if a.box is None or b.box is None:
        return float(a.box is b.box)
    return iou(Box(*a.box), Box(*b.box))


def _shown(finding: Expected) -> str:
    box = "" if finding.box is None else " at [" + ", ".join(f"{v:.3f}" for v in finding.box) + "]"
    return f"{finding.label} {finding.score:.3f}{box}"


def _picture(path: Path) -> NDArray[Any]:
    """BGR; read and decoded apart, since cv2.imread says nothing of why it fails."""
    import cv2

    data = np.frombuffer(path.read_bytes(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if pixels is None:
        raise BundleError(f"{path}: is no picture that OpenCV can read")
    return np.asarray(pixels)


def _rows(path: Path, channels: int) -> NDArray[np.float64]:
    """(n, channels) float64."""
    try:
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise BundleError(f"{path}: is no array that numpy can read: {error}") from error
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != channels:
        found = getattr(rows, "shape", "several arrays")
        raise BundleError(f"{path}: expected readings, (n, {channels}): rows of the channels; found {found}")
    return np.asarray(rows, np.float64)


def _expected(path: Path) -> list[Expected]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Expected])
    except msgspec.DecodeError as error:
        text = 'expected [{"label": …, "score": …, "box": [x0, y0, x1, y1]}, …]'
        raise BundleError(f"{path}: {text}: {error}") from error
