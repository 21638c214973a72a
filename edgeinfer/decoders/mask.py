"""A class for each pixel to regions: of each class the outline of its largest part. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgeinfer.decoders.outline import Part, largest_part, outline, simplified
from edgeinfer.decoders.outputs import Activation, activate, check_labels, check_roles, role
from edgeinfer.errors import BundleError
from edgeinfer.events import Region
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import TensorSpec, dequantize, layout_of

Array = NDArray[Any]
Mask = NDArray[np.bool_]
Share = Annotated[float, Meta(ge=0, le=1)]

TOLERANCE_CELLS = 0.75
"""How far an outline may be from the cells' corners: less than one, so that only stairs are straightened."""


class MaskOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A region is found whose mean score reaches `score` and that covers at least `least_area` of the input.

    With one channel, a pixel belongs to the class from `score` on.
    """

    activation: Activation = "softmax"
    background: bool = True  # channel (or number) 0 is no class
    score: Share = 0.5
    least_area: Share = 0.002
    max_findings: Annotated[int, Meta(ge=1)] = 20


class _Grid(NamedTuple):
    rows: int
    columns: int
    channels: int
    first: bool  # (1, channels, rows, columns)


class SemanticMask:
    """Role `mask`: scores (1, h, w, classes) or (1, classes, h, w), where the model's input is NCHW; or numbers (1, h, w).

    A map of numbers says nothing of how sure it is: its regions have the score 1.
    """

    Options = MaskOptions

    def __init__(self, options: MaskOptions, place: DecoderPlace) -> None:
        """Raises BundleError when role, shape or labels do not fit together."""
        check_roles(place, ("mask",))
        self._options, self._labels, self._mask = options, place.labels, role(place, "mask")
        self._grid = _grid(self._mask, place)
        self._first = int(options.background and self._grid.channels != 1)
        if self._grid.channels > 0:
            check_labels(place, self._grid.channels - self._first, self._mask, background=bool(self._first))

    def decode(self, outputs: Mapping[str, Array]) -> list[Region]:
        stored = outputs[self._mask.name][0]
        regions = {0: self._numbers, 1: self._one}.get(self._grid.channels, self._many)(stored)
        found = sorted(regions, key=lambda region: -region[0])[: self._options.max_findings]
        return [region for _, region in found]

    def _numbers(self, stored: Array) -> Iterator[tuple[int, Region]]:
        for number in np.unique(stored).tolist():
            index = int(number) - int(self._options.background)
            if 0 <= index < len(self._labels):
                part = self._part(stored == number)
                if part is not None:
                    yield part.area, self._region(self._labels[index], 1.0, part)

    def _one(self, stored: Array) -> Iterator[tuple[int, Region]]:
        kind: Activation = "none" if self._options.activation == "none" else "sigmoid"
        real = activate(dequantize(stored.reshape(self._grid.rows, self._grid.columns), self._mask), kind)
        part = self._part(real >= self._options.score)
        if part is not None:
            score = float(_within(real, part)[part.mask].mean())
            yield part.area, self._region(self._labels[0], score, part)

    def _many(self, stored: Array) -> Iterator[tuple[int, Region]]:
        """The best class is found among the stored numbers; only the cells of a region are dequantized."""
        axis = 0 if self._grid.first else 2
        best = stored.argmax(axis=axis)
        for channel in range(self._first, self._grid.channels):
            part = self._part(best == channel)
            if part is None:
                continue
            cells = _within(np.moveaxis(stored, axis, 2), part)[part.mask]  # (area, channels)
            real = activate(dequantize(cells, self._mask), self._options.activation)
            score = float(real[:, channel].mean())
            if score >= self._options.score:
                yield part.area, self._region(self._labels[channel - self._first], score, part)

    def _part(self, mask: Mask) -> Part | None:
        part = largest_part(mask)
        enough = part is not None and part.area >= self._options.least_area * mask.size
        return part if enough else None

    def _region(self, label: str, score: float, part: Part) -> Region:
        corners = simplified(np.asarray(outline(part.mask), np.float64), TOLERANCE_CELLS)
        size = np.array([self._grid.columns, self._grid.rows])
        places = (corners + np.array([part.left, part.top])) / size
        return Region(label, score, tuple((x, y) for x, y in places.tolist()))


def _within(grid: Array, part: Part) -> Array:
    rows, columns = part.mask.shape
    return grid[part.top : part.top + rows, part.left : part.left + columns]


def _grid(mask: TensorSpec, place: DecoderPlace) -> _Grid:
    """`channels` is 0 for a map of class numbers."""
    shape = mask.shape
    if len(shape) == 3 and shape[0] == 1 and min(shape) > 0:
        return _Grid(shape[1], shape[2], 0, first=False)
    if len(shape) != 4 or shape[0] != 1 or min(shape) < 1:
        raise BundleError(
            f"outputs.mask: expected (1, h, w, classes), (1, classes, h, w) or numbers of classes (1, h, w); "
            f"the tensor {mask.name!r} has {shape}"
        )
    if any(layout_of(t) == "NCHW" for t in place.spec.inputs):
        return _Grid(shape[2], shape[3], shape[1], first=True)
    return _Grid(shape[1], shape[2], shape[3], first=False)
