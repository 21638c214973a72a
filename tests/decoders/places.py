"""Places and tensors for decoders under test."""

from __future__ import annotations

from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import ModelSpec, TensorSpec


def tensor(
    name: str, shape: tuple[int, ...], dtype: str = "float32", scale: float = 0.0, zero_point: int = 0
) -> TensorSpec:
    return TensorSpec(name, shape, dtype, scale, zero_point, 0)


def place(labels: tuple[str, ...], arrays=None, **roles: TensorSpec) -> DecoderPlace:
    """Each role is a tensor of the model."""
    spec = ModelSpec((), tuple(roles.values()))
    return DecoderPlace(labels, spec, {role: t.name for role, t in roles.items()}, arrays or {})
