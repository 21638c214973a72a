"""Two files of one model: whether one can take the other's place, and tensors that only have other names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from edgeinfer.events import Instant
from edgeinfer.ports import Session
from edgeinfer.tensors import ModelSpec, TensorSpec

Array = NDArray[Any]


def difference(twin: ModelSpec, other: ModelSpec) -> str:
    """Why `other` does not take the place of `twin`; "" where it does. Names may differ, the order counts."""
    for kind, ours, theirs in (
        ("input", twin.inputs, other.inputs),
        ("output", twin.outputs, other.outputs),
    ):
        if len(ours) != len(theirs):
            return f"it has {len(theirs)} {kind}s, and the twin {len(ours)}"
        for a, b in zip(ours, _in_order(ours, theirs), strict=True):
            if _told(a) != _told(b):
                return f"its {kind} {b.name!r} is {_told(b)}, and the twin's {_told(a)}"
    return ""


def _told(tensor: TensorSpec) -> str:
    """What must be the same. Compilers keep the quantization to the last digit; six are enough to tell."""
    return f"{tensor.dtype} {tensor.shape}, scale {tensor.scale:.6g}, zero point {tensor.zero_point}"


def _in_order(ours: Sequence[TensorSpec], theirs: Sequence[TensorSpec]) -> Sequence[TensorSpec]:
    """By name where the names are the same, else as they stand."""
    by_name = {t.name: t for t in theirs}
    same = by_name.keys() == {t.name for t in ours}
    return [by_name[t.name] for t in ours] if same else theirs


def aligned(session: Session, spec: ModelSpec) -> Session:
    """`session` with the tensor names of `spec`; itself where they are the same."""
    inputs = _names(spec.inputs, session.spec.inputs)
    outputs = _names(session.spec.outputs, spec.outputs)
    if all(a == b for names in (inputs, outputs) for a, b in names.items()):
        return session
    return _Renamed(session, spec, inputs, outputs)


def _names(keys: Sequence[TensorSpec], values: Sequence[TensorSpec]) -> Mapping[str, str]:
    return {a.name: b.name for a, b in zip(keys, _in_order(keys, values), strict=True)}


class _Renamed:
    """A session under other names."""

    def __init__(
        self, session: Session, spec: ModelSpec, inputs: Mapping[str, str], outputs: Mapping[str, str]
    ) -> None:
        self.spec, self.runtime, self.warning = spec, session.runtime, session.warning
        self._session, self._inputs, self._outputs = session, inputs, outputs

    def infer(self, inputs: Mapping[str, Array], deadline: Instant | None = None) -> Mapping[str, Array]:
        """As the port says."""
        found = self._session.infer({self._inputs[n]: v for n, v in inputs.items()}, deadline)
        return {self._outputs[n]: v for n, v in found.items()}

    def close(self) -> None:
        self._session.close()
