"""One vector of class scores for the whole picture or window; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgeinfer.decoders.outputs import Activation, activate, check_labels, check_roles, role
from edgeinfer.errors import BundleError
from edgeinfer.events import Score
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import dequantize

Array = NDArray[Any]


class ClassifyOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The `top_k` best classes that reach `score`, or with `multi_label` every class that does.

    A model with one output and two labels is binary: the number is that of the second, 1 less it that of the first.
    """

    activation: Activation = "softmax"  # "none" where the model ends in its own softmax
    background: bool = False  # class 0 is no class
    score: Annotated[float, Meta(ge=0, le=1)] = 0.0
    top_k: Annotated[int, Meta(ge=1)] = 5
    multi_label: bool = False


class Classify:
    """Role `scores`: one number for each class, (1, classes) or with more axes of length 1; or one number for two."""

    Options = ClassifyOptions

    def __init__(self, options: ClassifyOptions, place: DecoderPlace) -> None:
        """Raises BundleError when role, shape or labels do not fit together."""
        check_roles(place, ("scores",))
        self._options, self._labels, self._scores = options, place.labels, role(place, "scores")
        self._first = int(options.background)
        shape = self._scores.shape
        if not shape or any(n != 1 for n in shape[:-1]) or shape[-1] < 1:
            raise BundleError(
                f"outputs.scores: expected (1, classes), the tensor {self._scores.name!r} has {shape}"
            )
        self._binary = shape[-1] == 1 and len(place.labels) == 2 and not options.background
        if self._binary and options.activation == "softmax":
            raise BundleError(
                'decoder.activation: expected "sigmoid" or "none" where one number stands for two labels: '
                "a softmax of one number is always 1"
            )
        if not self._binary:
            check_labels(place, shape[-1] - self._first, self._scores, background=options.background)

    def decode(self, outputs: Mapping[str, Array]) -> list[Score]:
        real = dequantize(outputs[self._scores.name].reshape(-1), self._scores)
        scores = activate(real, self._options.activation)[self._first :]
        if self._binary:
            scores = np.concatenate([1 - scores, scores])
        order = np.argsort(-scores, kind="stable")
        limit = len(order) if self._options.multi_label else self._options.top_k
        best = [(self._labels[i], float(scores[i])) for i in order[:limit].tolist()]
        return [Score(label, score) for label, score in best if score >= self._options.score]
