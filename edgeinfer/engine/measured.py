"""A predictor that also says how bright and how sharp its pictures are; what that means is for rules to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeinfer.events import Frame, Inference, Value
from edgeinfer.ports import Predictor

Measure = Literal["brightness", "sharpness"]
_SIDE_PX = 192  # of the middle of the picture, at its own scale: a smaller copy would be sharp whatever the lens does


def brightness(grey: NDArray[Any]) -> float:
    """0 (black) to 1 (white), the mean."""
    return float(cv2.mean(grey)[0]) / 255


def sharpness(grey: NDArray[Any]) -> float:
    """Standard deviation of the Laplacian, in grey levels of 0 to 255; falls with blur (Pech-Pacheco 2000 takes its square)."""
    return float(cv2.meanStdDev(cv2.Laplacian(grey, cv2.CV_16S))[1][0, 0])


_HOW = {"brightness": brightness, "sharpness": sharpness}


class Measured:
    """The port `Predictor`: findings of the one inside, then a `Value` for each measure."""

    def __init__(self, inside: Predictor, measures: tuple[Measure, ...]) -> None:
        self._inside, self._measures = inside, measures

    @property
    def identity(self) -> str:
        return self._inside.identity

    @property
    def runtime(self) -> str:
        return self._inside.runtime

    @property
    def warning(self) -> str:
        return self._inside.warning

    @property
    def undecided(self) -> bool:
        return bool(getattr(self._inside, "undecided", False))

    def predict(self, frame: Frame) -> Inference:
        seen = self._inside.predict(frame)
        told = measured(frame.pixels, self._measures)
        return replace(seen, findings=(*seen.findings, *(Value(name, value) for name, value in told.items())))

    def forget(self, source: str) -> None:
        self._inside.forget(source)

    def close(self) -> None:
        self._inside.close()


def measured(pixels: NDArray[Any], measures: tuple[Measure, ...]) -> Mapping[str, float]:
    """By name, of the middle of a picture (H, W, 3) BGR or (H, W), uint8."""
    height, width = pixels.shape[:2]
    top, left = max((height - _SIDE_PX) // 2, 0), max((width - _SIDE_PX) // 2, 0)
    middle = pixels[top : top + _SIDE_PX, left : left + _SIDE_PX]
    grey = cv2.cvtColor(middle, cv2.COLOR_BGR2GRAY) if middle.ndim == 3 else np.ascontiguousarray(middle)
    return {name: _HOW[name](grey) for name in measures}
