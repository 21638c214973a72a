"""What all decoders ask of a model's outputs: roles, classes, activations; in integers as long as it can be."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from edgeinfer.errors import BundleError, nearest
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import TensorSpec, layout_of, size_of

Array = NDArray[Any]
Floats = NDArray[np.float32]
Activation = Literal["sigmoid", "softmax", "none"]

NO_CLASS = "???"  # what label maps write where a number has no class; see store/labels.py

_LARGEST = 80.0  # e^80 is still a float32


def role(place: DecoderPlace, name: str) -> TensorSpec:
    """The output tensor that the manifest gives the role `name`; BundleError when it gives none."""
    tensor = place.roles.get(name)
    if tensor is None:
        found = nearest(name, place.roles)
        raise BundleError(f"outputs.{name}: is missing{found} (this decoder needs a tensor for that role)")
    return place.spec.output(tensor)


def check_roles(place: DecoderPlace, known: tuple[str, ...]) -> None:
    """Refuses roles that this decoder does not know."""
    for name in place.roles:
        if name not in known:
            raise BundleError(
                f"outputs.{name}: there is no such role{nearest(name, known)} (there are: {', '.join(known)})"
            )


def input_size(place: DecoderPlace, key: str) -> tuple[int, int]:
    """(height, width) of the picture that the model takes; BundleError names `key`, for which it is asked."""
    picture = next((t for t in place.spec.inputs if layout_of(t) is not None), None)
    if picture is None:
        shapes = ", ".join(f"{t.name!r} {t.shape}" for t in place.spec.inputs) or "none"
        raise BundleError(f"{key}: needs an input that is a picture; the inputs are: {shapes}")
    return size_of(picture)


def check_labels(place: DecoderPlace, classes: int, tensor: TensorSpec, *, background: bool) -> None:
    """The number of labels must be the number of classes; BundleError says both and what to look at."""
    if classes == len(place.labels):
        return
    of = f"{classes} classes" + (" besides the background" if background else "")
    if background:
        hint = (
            "; is there a background at all (decoder.background)?" if classes + 1 == len(place.labels) else ""
        )
    else:
        hint = (
            "; is its first class the background (decoder.background = true)?"
            if classes - 1 == len(place.labels)
            else ""
        )
    raise BundleError(
        f"decoder.labels: expected one label for each class; the output {tensor.name!r} {tensor.shape} has {of}, "
        f"the labels file has {len(place.labels)} label{'s' * (len(place.labels) != 1)}{hint}"
    )


def class_name(labels: tuple[str, ...], number: int) -> str | None:
    """None for a number that the label map leaves out; "#17" for one that the labels do not know."""
    name = labels[number] if 0 <= number < len(labels) else f"#{number}"
    return None if name == NO_CLASS else name


def activate(real: Floats, activation: Activation) -> Floats:
    """Logits to probabilities along the last axis."""
    if activation == "none":
        return real
    if activation == "sigmoid":
        return (1 / (1 + np.exp(np.minimum(-real, _LARGEST)))).astype(np.float32)
    powers = np.exp(real - real.max(axis=-1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), np.float32)


def logit(score: float) -> float:
    """The inverse of the sigmoid; ± infinity at 1 and 0."""
    if score <= 0:
        return -math.inf
    return math.inf if score >= 1 else math.log(score / (1 - score))


def least(real: float, spec: TensorSpec) -> float:
    """The smallest stored value that may stand for `real` or more: one quantum generous, to be checked again.

    An int for a quantized tensor (integers are compared as such); for a float tensor `real` less float32's noise.
    """
    if not spec.quantized:
        return real - 1e-4 * max(1.0, abs(real)) if math.isfinite(real) else real
    limits = np.iinfo(spec.dtype)
    step = real / spec.scale + spec.zero_point
    if not math.isfinite(step):
        return int(limits.min if step < 0 else limits.max)
    return int(min(max(math.floor(step) - 1, limits.min), limits.max))
