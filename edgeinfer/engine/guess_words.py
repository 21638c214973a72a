"""What the parts of the guess share: what they look at, and what they say. Guesses nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from edgeinfer.errors import BundleError
from edgeinfer.store import InputOptions
from edgeinfer.store.metadata import Metadata
from edgeinfer.tensors import ModelSpec, TensorSpec, layout_of

Option = str | bool | int | float | tuple[int, ...]
Fit = Literal["letterbox", "stretch", "crop"]


class Guess(Struct, frozen=True):
    """Enough to write a manifest, but for what stands in `missing`.

    `options` are those of the decoder, without `labels`. `input` is None where the model takes no picture.
    `classes` is how many labels the outputs ask for, None where they do not tell. `reasons` are sentences about
    what the file says; `assumed` are sentences about what it does not say and somebody should look at; `missing`
    names what the user has to give before the model can be used.
    """

    decoder: str
    options: dict[str, Option]
    outputs: dict[str, str]
    input: InputOptions | None
    labels: tuple[str, ...]
    classes: int | None
    reasons: tuple[str, ...]
    assumed: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    spec: ModelSpec
    metadata: Metadata
    labels: tuple[str, ...]
    operators: frozenset[str]

    @property
    def picture(self) -> TensorSpec | None:
        """The first input that has the shape of a picture, (1, h, w, c) or (1, c, h, w)."""
        return next((t for t in self.spec.inputs if layout_of(t) is not None), None)


@dataclass(slots=True)
class Heads:
    """What was found at the outputs; `fit` where the exporter is known, and so how it prepares pictures."""

    decoder: str
    outputs: dict[str, str]
    options: dict[str, Option] = field(default_factory=dict)
    classes: int | None = None
    fit: Fit | None = None
    reasons: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def real_range(tensor: TensorSpec) -> tuple[float, float] | None:
    """What the integers of a quantized tensor reach from and to; None for other tensors."""
    reach = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}.get(tensor.dtype)
    if reach is None or not tensor.quantized:
        return None
    low, high = ((step - tensor.zero_point) * tensor.scale for step in reach)
    return low, high


def shown(tensor: TensorSpec) -> str:
    return f"{tensor.name!r} {tensor.dtype} {'x'.join(map(str, tensor.shape)) or 'of unknown shape'}"


def refused(what: str, instead: str) -> BundleError:
    return BundleError(f"{what} is known, but edgeinfer does not decode it: {instead}")


def unrecognised(spec: ModelSpec) -> BundleError:
    outputs = "\n".join(f"  {shown(t)}" for t in spec.outputs)
    return BundleError(
        f"what the model's outputs mean was not recognised. They are:\n{outputs}\n"
        "Name the decoder, its outputs and options by hand (docs/decoders.md tells what each expects); "
        '"raw" gives any of them as plain numbers'
    )
