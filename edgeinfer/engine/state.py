"""Inputs besides the sample: zero, or what an output of the call before gave (recurrent models); infers nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import BundleError, nearest
from edgeinfer.tensors import ModelSpec, TensorSpec, dequantize, quantize

Array = NDArray[Any]


class State:
    """One memory for each source.

    `feeds` is the manifest's [state]: input = the output that feeds it. Every other input but `sample` stays zero;
    zero is the tensor's zero point.
    """

    def __init__(self, spec: ModelSpec, sample: str, feeds: Mapping[str, str]) -> None:
        """Raises BundleError when [state] names no such tensor, or two of different shapes."""
        self._feeds = [_feed(spec, sample, name, output) for name, output in feeds.items()]
        others = [t for t in spec.inputs if t.name != sample]
        self._zero = {t.name: quantize(np.zeros(t.shape), t) for t in others}
        self._kept: dict[str, dict[str, Array]] = {}

    def inputs(self, source: str) -> Mapping[str, Array]:
        """All inputs but the sample."""
        return {**self._zero, **self._kept[source]} if source in self._kept else self._zero

    def take(self, source: str, outputs: Mapping[str, Array]) -> None:
        """Keeps what feeds the next call; the session may reuse its arrays, so they are copied."""
        if self._feeds:
            self._kept[source] = {to.name: _carried(outputs[of.name], of, to) for of, to in self._feeds}

    def forget(self, source: str) -> None:
        """What came before says nothing about what comes next."""
        self._kept.pop(source, None)


def _carried(values: Array, of: TensorSpec, to: TensorSpec) -> Array:
    """Between two tensors of one meaning; a converter may have given each its own scale."""
    if (of.dtype, of.scale, of.zero_point) == (to.dtype, to.scale, to.zero_point):
        return values.reshape(to.shape).copy()
    return quantize(dequantize(values, of), to).reshape(to.shape)


def _feed(spec: ModelSpec, sample: str, name: str, output: str) -> tuple[TensorSpec, TensorSpec]:
    inputs, outputs = [t.name for t in spec.inputs if t.name != sample], [t.name for t in spec.outputs]
    if name not in inputs:
        taken = " (it takes the sample)" if name == sample else nearest(name, inputs)
        raise BundleError(
            f"state.{name}: the model has no such input to feed{taken} (there are: {', '.join(inputs) or 'none'})"
        )
    if output not in outputs:
        raise BundleError(
            f"state.{name}: the model has no output {output!r}{nearest(output, outputs)} "
            f"(its outputs are: {', '.join(outputs)})"
        )
    to, of = spec.input(name), spec.output(output)
    if np.prod(to.shape) != np.prod(of.shape) or not to.shape:
        raise BundleError(f"state.{name}: has the shape {to.shape}, the output {output!r} has {of.shape}")
    return of, to
