"""A grid of class probabilities: neighbouring cells of one class become one detection; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgeinfer.decoders.outputs import Activation, activate, check_labels, check_roles, role
from edgeinfer.errors import BundleError
from edgeinfer.events import Detection
from edgeinfer.geometry import Box
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import dequantize

Array = NDArray[Any]
Cell = tuple[int, int]  # row, column
Side = Annotated[float, Meta(gt=0, le=1)]


class GridOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`box_size` is (width, height), normalised to the model's input; only `cells = "centroid"` needs it."""

    activation: Activation = "softmax"
    background: bool = True  # channel 0 is no class
    score: Annotated[float, Meta(ge=0, le=1)] = 0.5
    cells: Literal["centroid", "box"] = "centroid"
    box_size: tuple[Side, Side] | None = None
    max_findings: Annotated[int, Meta(ge=1)] = 100


class Grid:
    """Role `heat`: (1, rows, columns, channels), one channel a class (and the background before them).

    A cell belongs to the class that is the largest of all its channels, if that reaches `score`. Cells that
    touch (8 neighbours) and are of one class are one finding; its score is that of its best cell.
    """

    Options = GridOptions

    def __init__(self, options: GridOptions, place: DecoderPlace) -> None:
        """Raises BundleError when role, shape, options or labels do not fit together."""
        check_roles(place, ("heat",))
        self._options, self._labels, self._heat = options, place.labels, role(place, "heat")
        shape = self._heat.shape
        if len(shape) != 4 or min(shape) < 1:
            raise BundleError(
                f"outputs.heat: expected (1, rows, columns, channels), the tensor {self._heat.name!r} has {shape}"
            )
        if options.cells == "centroid" and options.box_size is None:
            raise BundleError(
                'decoder.box_size: is missing: cells = "centroid" needs the [width, height] of its boxes'
            )
        self._rows, self._columns, self._channels = shape[1:]
        self._first = int(options.background)
        check_labels(place, self._channels - self._first, self._heat, background=options.background)

    def decode(self, outputs: Mapping[str, Array]) -> list[Detection]:
        raw = outputs[self._heat.name].reshape(-1, self._channels)
        found = [self._detection(label, cells) for label, cells in self._components(raw)]
        found.sort(key=lambda d: (-d.score, d.box))
        return found[: self._options.max_findings]

    def _components(self, raw: Array) -> list[tuple[str, dict[Cell, float]]]:
        """The largest channel is found among the integers; only cells that are no background are dequantized."""
        best = raw.argmax(axis=1)
        at = np.flatnonzero(best >= self._first)
        real = activate(dequantize(raw[at], self._heat), self._options.activation)
        scores = real[np.arange(len(at)), best[at]]
        by_class: dict[int, dict[Cell, float]] = {}
        for i in np.flatnonzero(scores >= self._options.score).tolist():
            cell = divmod(int(at[i]), self._columns)
            by_class.setdefault(int(best[at[i]]) - self._first, {})[cell] = float(scores[i])
        return [(self._labels[k], part) for k, cells in by_class.items() for part in connected(cells)]

    def _detection(self, label: str, cells: dict[Cell, float]) -> Detection:
        box = self._hull(cells) if self._options.cells == "box" else self._around(cells)
        return Detection(label, max(cells.values()), box)

    def _hull(self, cells: dict[Cell, float]) -> Box:
        rows, columns = [row for row, _ in cells], [column for _, column in cells]
        return Box(
            min(columns) / self._columns,
            min(rows) / self._rows,
            (max(columns) + 1) / self._columns,
            (max(rows) + 1) / self._rows,
        )

    def _around(self, cells: dict[Cell, float]) -> Box:
        """`box_size` around the centroid, weighted by probability."""
        weight = sum(cells.values()) or 1.0
        x = sum(p * (column + 0.5) for (_, column), p in cells.items()) / weight / self._columns
        y = sum(p * (row + 0.5) for (row, _), p in cells.items()) / weight / self._rows
        width, height = self._options.box_size or (0.0, 0.0)
        return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def connected(cells: Mapping[Cell, float]) -> list[dict[Cell, float]]:
    """`cells` in parts whose cells touch, by side or corner."""
    left, parts = dict(cells), []
    while left:
        cell, p = left.popitem()
        part, edge = {cell: p}, [cell]
        while edge:
            row, column = edge.pop()
            for near in [(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)]:
                if near in left:
                    part[near] = left.pop(near)
                    edge.append(near)
        parts.append(part)
    return parts
