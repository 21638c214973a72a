"""Points of bodies."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.decoders.keypoints import PersonPose
from edgeinfer.errors import BundleError
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import ModelSpec
from tests.decoders.places import place, tensor

SINGLE, MULTI = tensor("points", (1, 1, 2, 3)), tensor("points", (1, 3, 11))


def decode(values, spec=SINGLE, labels=("person",), **options) -> list:
    made = PersonPose(PersonPose.Options(**options), place(labels, points=spec))
    return made.decode({"points": np.array(values, spec.dtype).reshape(spec.shape)})


def test_points_come_as_y_x_score_and_go_as_x_y_score() -> None:
    (found,) = decode([0.1, 0.2, 0.9, 0.3, 0.4, 0.5])
    assert (found.label, found.score) == ("person", pytest.approx(0.7))
    assert found.points == (pytest.approx((0.2, 0.1, 0.9)), pytest.approx((0.4, 0.3, 0.5)))


def test_the_order_can_be_x_y() -> None:
    (found,) = decode([0.1, 0.2, 0.9, 0.3, 0.4, 0.5], order="xy")
    assert found.points[0] == pytest.approx((0.1, 0.2, 0.9))


def test_nobody_is_found_whose_points_are_unsure() -> None:
    assert decode([0.1, 0.2, 0.1, 0.3, 0.4, 0.2]) == []


def test_of_several_people_the_score_of_the_box_counts() -> None:
    row = [0.1, 0.2, 0.0, 0.3, 0.4, 0.0, 0.0, 0.0, 1.0, 1.0]
    found = decode([[*row, 0.3], [*row, 0.1], [*row, 0.8]], MULTI)
    assert [round(f.score, 2) for f in found] == [0.8, 0.3]
    assert len(found[0].points) == 2


def test_integers_are_dequantized() -> None:
    spec = tensor("points", (1, 1, 1, 3), "uint8", 1 / 100, 0)
    (found,) = decode([50, 20, 90], spec)
    assert found.points == (pytest.approx((0.2, 0.5, 0.9)),)


def test_pixels_are_divided_by_the_size_of_the_input() -> None:
    where = DecoderPlace(
        ("p",), ModelSpec((tensor("in", (1, 100, 200, 3)),), (SINGLE,)), {"points": "points"}
    )
    made = PersonPose(PersonPose.Options(units="pixels"), where)
    (found,) = made.decode({"points": np.float32([[[[50, 50, 1], [100, 0, 1]]]])})
    assert found.points == (pytest.approx((0.25, 0.5, 1)), pytest.approx((0, 1, 1)))


@pytest.mark.parametrize("shape", [(1, 34), (1, 17, 2), (1, 6, 57), ()])
def test_other_shapes_are_refused(shape) -> None:
    with pytest.raises(BundleError, match=r"outputs\.points: expected \(1, 1, n, 3\)"):
        PersonPose(PersonPose.Options(), place(("p",), points=tensor("points", shape)))


def test_more_than_one_label_is_refused() -> None:
    with pytest.raises(BundleError, match="has 1 classes, the labels file has 2"):
        decode([0] * 6, labels=("nose", "eye"))
