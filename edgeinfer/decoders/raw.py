"""Outputs as plain numbers, each under a name of its own: for models that read something off. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from numpy.typing import NDArray

from edgeinfer.decoders.outputs import role
from edgeinfer.errors import BundleError
from edgeinfer.events import Value
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import dequantize

Array = NDArray[Any]
MOST = 256
"""A picture as numbers is no reading; what has more than so many needs a decoder."""


class RawOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every number n becomes n · `factor` + `offset`, in `unit`."""

    factor: float = 1.0
    offset: float = 0.0
    unit: str = ""


class Raw:
    """Any roles; their numbers in the order of the roles and then of the tensor, one label each."""

    Options = RawOptions

    def __init__(self, options: RawOptions, place: DecoderPlace) -> None:
        """Raises BundleError when there is no role, or not one label for each number."""
        self._options, self._labels = options, place.labels
        self._specs = [role(place, name) for name in place.roles]
        told = ", ".join(f"{t.name!r} {t.shape}" for t in self._specs) or "none"
        if not all(t.shape and min(t.shape) > 0 for t in self._specs) or not self._specs:
            raise BundleError(f"outputs: expected tensors of a fixed size, found {told}")
        count = sum(math.prod(t.shape) for t in self._specs)
        if count > MOST or count != len(place.labels):
            raise BundleError(
                f"decoder.labels: expected one label for each of the {count} numbers of the outputs ({told}), "
                f"at most {MOST}; the labels file has {len(place.labels)}"
            )

    def decode(self, outputs: Mapping[str, Array]) -> list[Value]:
        numbers = [n for t in self._specs for n in dequantize(outputs[t.name], t).reshape(-1).tolist()]
        factor, offset, unit = self._options.factor, self._options.offset, self._options.unit
        return [
            Value(label, n * factor + offset, unit) for label, n in zip(self._labels, numbers, strict=True)
        ]
