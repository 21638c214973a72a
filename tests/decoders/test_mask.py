"""Classes of pixels to regions."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.decoders.mask import SemanticMask
from edgeinfer.errors import BundleError
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import ModelSpec, TensorSpec, quantize
from tests.decoders.places import tensor

H, W = 20, 40
MAP = np.zeros((H, W), int)
MAP[4:12, 10:30] = 1  # the largest part of 1
MAP[16:18, 0:4] = 1
MAP[14:20, 30:40] = 2


def decoder(spec: TensorSpec, labels=("road", "wall"), *, nchw: bool = False, **options) -> SemanticMask:
    picture = tensor("in", (1, 3, H, W) if nchw else (1, H, W, 3))
    where = DecoderPlace(labels, ModelSpec((picture,), (spec,)), {"mask": spec.name})
    return SemanticMask(SemanticMask.Options(**options), where)


def scores(spec: TensorSpec, *, nchw: bool = False) -> dict[str, np.ndarray]:
    """Logits: 4 for the class of `MAP`, 0 for the others."""
    real = np.where(MAP[..., None] == np.arange(3), 4.0, 0.0).astype(np.float32)
    return {spec.name: quantize((np.moveaxis(real, 2, 0) if nchw else real)[None], spec)}


def bounds(region) -> tuple[float, ...]:
    x, y = np.array(region.outline).T
    return x.min(), y.min(), x.max(), y.max()


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("nchw", [True, False])
def test_of_each_class_the_largest_part_is_a_region_largest_first(nchw, dtype) -> None:
    shape = (1, 3, H, W) if nchw else (1, H, W, 3)
    spec = tensor("m", shape, dtype, 1 / 16 if dtype == "int8" else 0.0, 0)
    road, wall = decoder(spec, nchw=nchw).decode(scores(spec, nchw=nchw))
    assert (road.label, wall.label) == ("road", "wall")
    assert bounds(road) == pytest.approx((0.25, 0.2, 0.75, 0.6))
    assert bounds(wall) == pytest.approx((0.75, 0.7, 1.0, 1.0))
    assert road.score == pytest.approx(np.exp(4) / (np.exp(4) + 2), abs=1e-3)


def test_a_region_that_is_unsure_is_not_found() -> None:
    spec = tensor("m", (1, H, W, 3))
    assert decoder(spec, score=0.99).decode(scores(spec)) == []


def test_a_region_that_is_small_is_not_found() -> None:
    spec = tensor("m", (1, H, W, 3))
    assert [r.label for r in decoder(spec, least_area=0.1).decode(scores(spec))] == ["road"]
    assert len(decoder(spec, max_findings=1).decode(scores(spec))) == 1


def test_numbers_of_classes_are_regions_with_the_score_1() -> None:
    spec = tensor("m", (1, H, W), "int32")
    found = decoder(spec).decode({"m": MAP[None].astype(np.int32)})
    assert [(r.label, r.score) for r in found] == [("road", 1.0), ("wall", 1.0)]


def test_a_number_without_a_label_is_never_found() -> None:
    spec = tensor("m", (1, H, W), "int32")
    assert [r.label for r in decoder(spec, ("road",)).decode({"m": MAP[None].astype(np.int32)})] == ["road"]


@pytest.mark.parametrize("activation", ["sigmoid", "none"])
def test_one_channel_is_one_class_from_the_score_on(activation) -> None:
    spec = tensor(
        "m",
        (1, H, W, 1),
        "uint8",
        1 / 255 if activation == "none" else 0.1,
        0 if activation == "none" else 128,
    )
    real = np.where(MAP == 1, 0.9, 0.3) if activation == "none" else np.where(MAP == 1, 2.0, -2.0)
    stored = quantize(real[None, ..., None].astype(np.float32), spec)
    (found,) = decoder(spec, ("hand",), activation=activation).decode({"m": stored})
    assert bounds(found) == pytest.approx((0.25, 0.2, 0.75, 0.6))
    assert found.score == pytest.approx(0.9 if activation == "none" else 1 / (1 + np.exp(-2)), abs=0.01)


@pytest.mark.parametrize(
    ("shape", "labels", "told"),
    [
        ((1, 20), ("a",), r"outputs\.mask: expected \(1, h, w, classes\)"),
        ((2, 20, 40, 3), ("a", "b"), r"outputs\.mask: expected"),
        ((1, 20, 40, 3), ("a", "b", "c"), "has 2 classes besides the background, the labels file has 3"),
    ],
)
def test_what_is_no_mask_of_these_labels_is_refused(shape, labels, told) -> None:
    with pytest.raises(BundleError, match=told):
        decoder(tensor("m", shape), labels)
