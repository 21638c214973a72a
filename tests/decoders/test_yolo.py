"""YOLO outputs to findings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.decoders.nms import nms
from edgeinfer.decoders.yolo import Yolo
from edgeinfer.errors import BundleError
from edgeinfer.events import Detection, Keypoints, Region
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import ModelSpec, TensorSpec, dequantize, quantize
from tests.decoders.places import tensor

N = 60
LABELS = ("bolt", "nut", "washer")
PICTURE = tensor("in", (1, 3, 64, 128))


def predictions(row: int, dtype: str = "int8", *, first: bool = True, n: int = N) -> TensorSpec:
    shape = (1, row, n) if first else (1, n, row)
    return tensor(
        "rows",
        shape,
        dtype,
        {"int8": 1 / 250, "uint8": 1 / 200}.get(dtype, 0.0),
        -120 if dtype == "int8" else 3,
    )


def decoder(spec: TensorSpec, *, labels=LABELS, prototypes=None, picture=PICTURE, **options) -> Yolo:
    roles = {"predictions": spec.name} | ({"prototypes": prototypes.name} if prototypes else {})
    outputs = (spec,) if prototypes is None else (prototypes, spec)
    where = DecoderPlace(labels, ModelSpec((picture,) if picture else (), outputs), roles)
    return Yolo(Yolo.Options(**options), where)


def stored(rows: np.ndarray, spec: TensorSpec) -> dict[str, np.ndarray]:
    """`rows` (n, row), real, as the tensor `spec` holds them."""
    first = spec.shape[1] == rows.shape[1]
    return {spec.name: quantize((rows.T if first else rows)[None].astype(np.float32), spec)}


def random_rows(seed: int, row: int, classes_at: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.uniform(0, 0.9, (N, row)) ** 2
    rows[:, :2] = rng.choice([0.3, 0.5, 0.7], (N, 2)) + rng.normal(0, 0.02, (N, 2))
    rows[:, 2:4] = rng.uniform(0.1, 0.3, (N, 2))
    if classes_at == 5:
        rows[:, 4] = rng.uniform(0, 1, N)
    return rows.astype(np.float32)


def straight(rows: np.ndarray, classes_at: int, classes: int, score: float, iou: float):
    """All of it decoded, thresholded last: (label, score, corners) of what stays."""
    sure = rows[:, classes_at : classes_at + classes]
    best = sure.argmax(axis=1)
    scores = sure.max(axis=1) * (rows[:, 4] if classes_at == 5 else 1)
    corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1)
    passed = scores >= score
    kept = nms(corners[passed], scores[passed], best[passed], iou, 100)
    return [(LABELS[best[passed][i]], scores[passed][i], corners[passed][i]) for i in kept]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), score=st.sampled_from([0.0, 0.1, 0.25, 0.6]))
@pytest.mark.parametrize("dtype", ["int8", "uint8", "float32"])
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(("layout", "classes_at"), [("raw", 4), ("objectness", 5)])
def test_it_finds_what_a_straightforward_decoder_finds(layout, classes_at, first, dtype, seed, score) -> None:
    spec = predictions(classes_at + 3, dtype, first=first)
    outputs = stored(random_rows(seed, classes_at + 3, classes_at), spec)
    real = dequantize(outputs["rows"], spec)[0]
    found = decoder(spec, layout=layout, score=score).decode(outputs)
    wanted = straight(real.T if first else real, classes_at, 3, score, 0.7)
    assert [f.label for f in found] == [label for label, _, _ in wanted]
    for detection, (_, expected, corners) in zip(found, wanted, strict=True):
        assert detection.score == pytest.approx(expected, abs=1e-6)
        assert detection.box == pytest.approx(corners, abs=1e-5)


def test_nothing_is_found_where_nothing_reaches_the_score() -> None:
    spec = predictions(7)
    assert decoder(spec).decode({"rows": np.full(spec.shape, -128, np.int8)}) == []


def test_a_gap_in_the_names_is_never_found() -> None:
    spec = predictions(7)
    outputs = stored(random_rows(1, 7, 4), spec)
    found = decoder(spec, labels=("bolt", "???", "washer"), score=0.0, iou=1.0).decode(outputs)
    assert {f.label for f in found} == {"bolt", "washer"}


def test_only_the_best_candidates_go_into_suppression() -> None:
    spec = predictions(7)
    outputs = stored(random_rows(1, 7, 4), spec)
    everything = decoder(spec, score=0.0, iou=1.0).decode(outputs)
    assert len(everything) == N
    assert decoder(spec, score=0.0, iou=1.0, max_candidates=5).decode(outputs) == everything[:5]
    assert decoder(spec, score=0.0, iou=1.0, max_findings=3).decode(outputs) == everything[:3]


def test_pixels_are_divided_by_the_size_of_the_input() -> None:
    spec = predictions(7, "float32", n=1)
    rows = np.array([[64, 32, 32, 16, 0.9, 0, 0]])
    (found,) = decoder(spec, units="pixels").decode(stored(rows, spec))
    assert found.box == pytest.approx((48 / 128, 24 / 64, 80 / 128, 40 / 64))


# --- end-to-end


def test_an_end_to_end_head_gives_corners_score_and_class_best_first() -> None:
    spec = predictions(6, "float32", first=False, n=4)
    rows = np.array(
        [[0, 0, 64, 32, 0.4, 1], [0, 0, 64, 32, 0.8, 2], [9, 9, 9, 9, 0.1, 0], [0, 0, 1, 1, 0.5, 7]]
    )
    found = decoder(spec, layout="end2end", units="pixels").decode(stored(rows, spec))
    assert [(f.label, round(f.score, 2)) for f in found] == [("washer", 0.8), ("#7", 0.5), ("nut", 0.4)]
    assert found[0].box == pytest.approx((0, 0, 0.5, 0.5))


def test_an_end_to_end_head_is_not_suppressed_again() -> None:
    spec = predictions(6, "float32", first=False, n=2)
    rows = np.array([[0, 0, 1, 1, 0.9, 1], [0, 0, 1, 1, 0.8, 1]])
    assert len(decoder(spec, layout="end2end").decode(stored(rows, spec))) == 2


# --- pose


def pose(**options) -> list:
    spec = predictions(4 + 1 + 6, "float32", n=1)
    rows = np.array([[0.5, 0.5, 0.4, 0.4, 0.9, 0.4, 0.3, 0.8, 0.6, 0.7, 0.2]])
    made = decoder(spec, labels=("person",), task="pose", keypoints=(2, 3), **options)
    return made.decode(stored(rows, spec))


def test_a_pose_is_found_with_its_points() -> None:
    (found,) = pose()
    assert isinstance(found, Keypoints)
    assert (found.label, found.score) == ("person", pytest.approx(0.9))
    assert found.points[1] == pytest.approx((0.6, 0.7, 0.2))


def test_boxes_of_poses_are_given_where_they_are_asked_for() -> None:
    assert [type(f) for f in pose(give="boxes")] == [Detection]
    assert [type(f) for f in pose(give="both")] == [Detection, Keypoints]


def test_points_without_a_score_are_sure() -> None:
    spec = predictions(4 + 1 + 4, "float32", n=1)
    rows = np.array([[0.5, 0.5, 0.4, 0.4, 0.9, 0.1, 0.2, 0.3, 0.4]])
    (found,) = decoder(spec, labels=("p",), task="pose", keypoints=(2, 2)).decode(stored(rows, spec))
    assert found.points == (pytest.approx((0.1, 0.2, 1.0)), pytest.approx((0.3, 0.4, 1.0)))


# --- segment

PROTOTYPES = {
    "NCHW": tensor("protos", (1, 2, 16, 32), "int8", 1 / 16, 0),
    "NHWC": tensor("protos", (1, 16, 32, 2), "int8", 1 / 16, 0),
}


def segments(layout: str = "NCHW", box=(0.5, 0.5, 1.0, 1.0), coefficients=(1.0, 0.0), **options) -> list:
    """Prototype 0 is above 0 in the columns 8 to 23 and in the separate columns 28 and 29; 1 is below 0 everywhere."""
    spec, prototypes = predictions(9, "float32", n=1), PROTOTYPES[layout]
    planes = np.full((2, 16, 32), -1.0)
    planes[0, :, 8:24] = planes[0, :, 28:30] = 1.0
    grid = planes if layout == "NCHW" else np.moveaxis(planes, 0, 2)
    rows = np.array([[*box, 0.1, 0.9, 0.2, *coefficients]])
    outputs = stored(rows, spec) | {"protos": quantize(grid[None].astype(np.float32), prototypes)}
    picture = PICTURE if layout == "NCHW" else tensor("in", (1, 64, 128, 3))
    return decoder(spec, prototypes=prototypes, picture=picture, task="segment", **options).decode(outputs)


def bounds(region: Region) -> tuple[float, float, float, float]:
    x, y = np.array(region.outline).T
    return x.min(), y.min(), x.max(), y.max()


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_the_region_is_the_largest_part_of_the_mask(layout) -> None:
    (found,) = segments(layout)
    assert isinstance(found, Region)
    assert (found.label, found.score) == ("nut", pytest.approx(0.9))
    assert bounds(found) == pytest.approx((0.25, 0.0, 0.75, 1.0), abs=0.01)


def test_the_mask_ends_at_its_box() -> None:
    (found,) = segments(box=(0.5, 0.5, 0.25, 0.5))
    assert bounds(found) == pytest.approx((0.375, 0.25, 0.625, 0.75), abs=0.005)


def test_a_segment_with_an_empty_mask_is_not_found() -> None:
    assert segments(coefficients=(0.0, 1.0)) == []
    assert segments(coefficients=(0.0, 1.0), give="both") == []
    assert len(segments(coefficients=(0.0, 1.0), give="boxes")) == 1


def test_a_box_beside_the_picture_is_no_error() -> None:
    assert segments(box=(1.5, 0.5, 0.2, 0.5)) == []


@pytest.mark.parametrize("wrong", [np.inf, np.nan])
def test_numbers_that_are_none_are_no_error(wrong) -> None:
    assert segments(box=(wrong, 0.5, 0.2, 0.5)) == []


# --- what does not fit


@pytest.mark.parametrize(
    ("spec", "options", "told"),
    [
        (
            predictions(8),
            {},
            r"'raw' means rows of x y w h, .*: with 3 labels 7 numbers; .*\(1, 8, 60\); 4 labels would",
        ),
        (predictions(7), {"layout": "objectness"}, "with 3 labels 8 numbers"),
        (predictions(7), {"layout": "end2end"}, "'end2end' means rows of x0 y0 x1 y1, score, class"),
        (predictions(7), {"task": "pose"}, "and 51 numbers more"),
        (tensor("rows", (1, 7)), {}, r"outputs\.predictions: expected \(1, row, n\)"),
        (predictions(7), {"task": "segment"}, r"outputs\.prototypes: is missing"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(spec, options, told) -> None:
    with pytest.raises(BundleError, match=told):
        decoder(spec, **options)


def test_pixels_without_a_picture_are_refused() -> None:
    with pytest.raises(
        BundleError, match=r"decoder\.units: needs an input that is a picture; the inputs are: none"
    ):
        decoder(predictions(7), picture=None, units="pixels")


def test_prototypes_that_are_no_grid_are_refused() -> None:
    with pytest.raises(BundleError, match=r"outputs\.prototypes: expected \(1, k, h, w\)"):
        decoder(predictions(9), prototypes=tensor("protos", (1, 2, 16)), task="segment")
