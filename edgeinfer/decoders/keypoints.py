"""Points of a body, each (y, x, score): one person, or six with boxes, as MoveNet gives them. Pure.

Source: the model cards of MoveNet SinglePose (1, 1, 17, 3) and MultiPose (1, 6, 56). For YOLO's poses see yolo.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from edgeinfer.decoders.outputs import check_labels, check_roles, input_size, role
from edgeinfer.errors import BundleError
from edgeinfer.events import Keypoints
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import TensorSpec, dequantize

Array = NDArray[Any]
Floats = NDArray[np.float32]
_BOX = 5  # behind the points of MultiPose: ymin xmin ymax xmax score


class KeypointsOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A person is found whose score reaches `score`: that of its box, or else the mean of its points' scores."""

    score: Annotated[float, Meta(ge=0, le=1)] = 0.25
    order: Literal["yx", "xy"] = "yx"
    units: Literal["normalized", "pixels"] = "normalized"


class PersonPose:
    """Role `points`: (1, 1, n, 3), (1, n, 3) or (1, people, 3·n + 5). One label: what it is that has the points."""

    Options = KeypointsOptions

    def __init__(self, options: KeypointsOptions, place: DecoderPlace) -> None:
        """Raises BundleError when role, shape or labels do not fit together."""
        check_roles(place, ("points",))
        self._options, self._points = options, role(place, "points")
        self._boxed = _is_boxed(self._points)
        check_labels(place, 1, self._points, background=False)
        self._label = place.labels[0]
        size = input_size(place, "decoder.units") if options.units == "pixels" else (1, 1)
        self._units = np.array(size[::-1], np.float32)  # width, height

    def decode(self, outputs: Mapping[str, Array]) -> list[Keypoints]:
        real = dequantize(outputs[self._points.name], self._points)
        people, scores = self._people(real)
        sure = [i for i in np.argsort(-scores, kind="stable").tolist() if scores[i] >= self._options.score]
        return [self._found(people[i], float(scores[i])) for i in sure]

    def _people(self, real: Floats) -> tuple[Floats, Floats]:
        """(people, n, 3) and their scores."""
        if not self._boxed:
            points = real.reshape(1, -1, 3)
            return points, points[..., 2].mean(axis=1)
        rows = real.reshape(-1, real.shape[-1])
        return rows[:, :-_BOX].reshape(len(rows), -1, 3), rows[:, -1]

    def _found(self, points: Floats, score: float) -> Keypoints:
        places = points[:, :2] if self._options.order == "xy" else points[:, 1::-1]
        rows = zip((places / self._units).tolist(), points[:, 2].tolist(), strict=True)
        return Keypoints(self._label, score, tuple((x, y, sure) for (x, y), sure in rows))


def _is_boxed(points: TensorSpec) -> bool:
    shape = points.shape
    if shape and shape[-1] == 3 and len(shape) >= 3 and np.prod(shape[:-2]) == 1:
        return False
    if len(shape) == 3 and shape[0] == 1 and shape[2] > _BOX and (shape[2] - _BOX) % 3 == 0:
        return True
    raise BundleError(
        f"outputs.points: expected (1, 1, n, 3) or (1, people, 3 n + {_BOX}), "
        f"the tensor {points.name!r} has {shape}"
    )
