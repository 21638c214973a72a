"""What a picture model's input says about how it was trained: layout from its shape, mean and std from its scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgeinfer.cli.model_store import warn
from edgeinfer.engine.describe import ModelFacts
from edgeinfer.errors import BundleError
from edgeinfer.tensors import ModelSpec, TensorSpec

_TRAINED: tuple[tuple[float, float, float], ...] = (
    (1 / 255, 0.0, 255.0),  # x / 255
    (2 / 255, 127.5, 127.5),  # x / 127.5 - 1
    (1.0, 0.0, 1.0),  # the pixel itself
)
"""Scale of the input tensor, and the mean and std that give an integer input the whole range 0…255."""

_IMAGENET = ([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
_IMAGENET_SCALE = (2.64 + 2.118) / 255  # (max - min) / 255 of pixels normalised by them


def picture_input(facts: ModelFacts, wish: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The manifest's [input]; what the user wished stands, the rest follows from the tensor.

    Raises:
        BundleError: no input looks like a picture.
    """
    spec = facts.spec
    tensor, layout, channels = _picture(facts.file, spec)
    trained = _mean_std(tensor)
    if not {"mean", "std"} & wish.keys() and not tensor.quantized:
        warn("the input is not quantized and tells no range: 0…1 is taken; --mean and --std say otherwise")
    found: dict[str, Any] = {"fit": "stretch" if kind == "classify" else "letterbox", "layout": layout}
    found |= {"colour": "RGB" if channels == 3 else "GRAY", "mean": trained[0], "std": trained[1]}
    if len(spec.inputs) > 1:
        found["name"] = tensor.name
    return {**found, **wish}


def _picture(file: str, spec: ModelSpec) -> tuple[TensorSpec, str, int]:
    for tensor in spec.inputs:
        if len(tensor.shape) == 4:
            for layout, channels in (("NHWC", tensor.shape[3]), ("NCHW", tensor.shape[1])):
                if channels in {1, 3}:
                    return tensor, layout, channels
    shapes = ", ".join(f"{t.name} {t.shape}" for t in spec.inputs)
    raise BundleError(
        f"{file}: no input looks like a picture, (1, height, width, 3 or 1) or channels first; found: {shapes}. For a model of "
        "readings write a manifest with a [window] (docs/bundles.md) and add its folder"
    )


def _mean_std(tensor: TensorSpec) -> tuple[Any, Any]:
    if abs(tensor.scale - _IMAGENET_SCALE) < 0.05 * _IMAGENET_SCALE:
        return _IMAGENET
    for scale, mean, std in _TRAINED:
        if abs(tensor.scale - scale) < 0.05 * scale:
            return mean, std
    return 0.0, 255.0
