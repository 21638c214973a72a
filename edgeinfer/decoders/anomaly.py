"""How badly an autoencoder reproduces its input, in units of the error that is still usual; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgeinfer.decoders.outputs import check_roles, role
from edgeinfer.errors import BundleError
from edgeinfer.events import Score, Value
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import TensorSpec, dequantize

Array = NDArray[Any]


class AnomalyOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`threshold` is the mean squared error, in scaled features, from which on the training would call it unusual.

    As a `value`, error / threshold: 1 is at the threshold. As a `score`, error / (error + threshold): 0.5 is.
    """

    threshold: Annotated[float, Meta(gt=0)]
    give: Literal["value", "score"] = "value"


class Anomaly:
    """Role `reconstruction`: as many numbers as the input has. The finding's label is the first of the labels."""

    Options = AnomalyOptions
    needs_input = True

    def __init__(self, options: AnomalyOptions, place: DecoderPlace) -> None:
        """Raises BundleError when role, shapes or labels do not fit together."""
        check_roles(place, ("reconstruction",))
        self._options, self._output = options, role(place, "reconstruction")
        self._input = _same_shape(self._output, place.spec.inputs)
        if len(place.labels) != 1:
            raise BundleError(f"decoder.labels: expected one label, the file has {len(place.labels)}")
        self._label = place.labels[0]

    def decode(self, outputs: Mapping[str, Array]) -> list[Score | Value]:
        given = dequantize(outputs[self._input.name].reshape(-1), self._input)
        found = dequantize(outputs[self._output.name].reshape(-1), self._output)
        error, threshold = float(np.mean(np.square(given - found))), self._options.threshold
        if self._options.give == "score":
            return [Score(self._label, error / (error + threshold))]
        return [Value(self._label, error / threshold, "threshold")]


def _same_shape(output: TensorSpec, inputs: tuple[TensorSpec, ...]) -> TensorSpec:
    alike = [t for t in inputs if np.prod(t.shape) == np.prod(output.shape) and t.name != output.name]
    if len(alike) != 1:
        shapes = ", ".join(f"{t.name!r} {t.shape}" for t in inputs)
        raise BundleError(
            f"outputs.reconstruction: expected the size of one input ({shapes}), "
            f"{output.name!r} has the shape {output.shape}"
        )
    return alike[0]
