"""A bundle's golden pictures on this device: what was found against what its maker found; opens nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import BundleError
from edgeinfer.events import Detection, Finding, Frame, Instant, Score
from edgeinfer.geometry import Box, iou
from edgeinfer.ports import Predictor
from edgeinfer.store import Bundle

IOU = 0.85
SCORE = 0.05
"""Runtimes are not bit-exact: one quantum in a box or a logit stays well within these."""


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of a golden .json; `box` (x0 y0 x1 y1, normalised to the picture) is absent for a class score."""

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

    @property
    def passed(self) -> bool:
        return not self.wrong


def verify(bundle: Bundle, predictor: Predictor) -> Iterator[Comparison]:
    """Runs the golden pictures one after another.

    Raises:
        BundleError: a golden file is no picture, or no list of findings.
    """
    near = float(bundle.manifest.decoder.options.get("score", 0.0)) + SCORE
    for golden in bundle.manifest.golden:
        frame = Frame(("golden", 0), Instant("", 0, 0), _picture(bundle.path(golden.input)))
        expected = _expected(bundle.path(golden.expect))
        yield compare(golden.input, expected, predictor.predict(frame).findings, near)


def compare(name: str, expected: Iterable[Expected], found: Iterable[Finding], near: float) -> Comparison:
    """Pairs each expected finding with the best of its label, one to one.

    A finding whose score is below `near` stands at the decoder's threshold: a quantum decides whether it is
    there, so it may be missing, or be one more.
    """
    wanted, left = list(expected), [_told(f) for f in found if isinstance(f, Detection | Score)]
    count, wrong, ious, scores = len(left), [], [1.0], [0.0]
    for want in sorted(wanted, key=lambda w: -w.score):
        same = [have for have in left if have.label == want.label]
        best = max(same, key=lambda have: (_overlap(want, have), -abs(want.score - have.score)), default=None)
        if best is None or _overlap(want, best) < IOU:
            if want.score >= near:
                wrong.append(
                    f"{_shown(want)} was expected and not found"
                    + (f" (nearest: {_shown(best)})" if best else "")
                )
            continue
        left.remove(best)
        ious.append(_overlap(want, best))
        scores.append(abs(want.score - best.score))
        if scores[-1] > SCORE:
            wrong.append(f"{_shown(want)} was expected, its score is {best.score:.3f}")
    wrong += [f"{_shown(more)} was found and not expected" for more in left if more.score >= near]
    return Comparison(name, len(wanted), count, min(ious), max(scores), tuple(wrong))


def _told(finding: Detection | Score) -> Expected:
    return Expected(finding.label, finding.score, finding.box if isinstance(finding, Detection) else None)


def _overlap(a: Expected, b: Expected) -> float:
    if a.box is None or b.box is None:
        return float(a.box is b.box)
    return iou(Box(*a.box), Box(*b.box))


def _shown(finding: Expected) -> str:
    box = "" if finding.box is None else " at [" + ", ".join(f"{v:.3f}" for v in finding.box) + "]"
    return f"{finding.label} {finding.score:.3f}{box}"


def _picture(path: Path) -> NDArray[Any]:
    """BGR; read and decoded apart, since cv2.imread says nothing of why it fails."""
    data = np.frombuffer(path.read_bytes(), np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if pixels is None:
        raise BundleError(f"{path}: is no picture that OpenCV can read")
    return np.asarray(pixels)


def _expected(path: Path) -> list[Expected]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Expected])
    except msgspec.DecodeError as error:
        text = 'expected [{"label": …, "score": …, "box": [x0, y0, x1, y1]}, …]'
        raise BundleError(f"{path}: {text}: {error}") from error
