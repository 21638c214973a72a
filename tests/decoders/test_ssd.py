"""SSD outputs to detections."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.decoders.nms import nms
from edgeinfer.decoders.ssd import Ssd
from edgeinfer.errors import BundleError
from edgeinfer.tensors import dequantize, quantize
from tests.decoders.places import place, tensor

N = 40
BOXES = tensor("boxes", (1, N, 1, 4), "int8", 0.09, 31)
RNG = np.random.default_rng(3)
ANCHORS = np.concatenate([RNG.uniform(0.1, 0.9, (N, 2)), RNG.uniform(0.05, 0.4, (N, 2))], axis=1).astype(
    np.float32
)


def logits(classes: int, dtype: str = "int8"):
    return tensor("scores", (1, N, classes), dtype, 0.12 if dtype == "int8" else 0.0, -1)


def raw(classes: int, seed: int, dtype: str = "int8") -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    scores = rng.normal(-1, 3, (1, N, classes)).astype(np.float32)
    boxes = rng.normal(0, 2, (1, N, 1, 4)).astype(np.float32)
    return {"scores": quantize(scores, logits(classes, dtype)), "boxes": quantize(boxes, BOXES)}


def decoder(classes: int, dtype: str = "int8", **options) -> Ssd:
    labels = tuple(f"c{i}" for i in range(classes - options.get("background", True)))
    where = place(labels, {"anchors": ANCHORS}, boxes=BOXES, scores=logits(classes, dtype))
    return Ssd(Ssd.Options(anchors="anchors.npy", **options), where)


def straight(outputs, classes: int, dtype: str, activation: str, background: int, score: float):
    """All of it dequantized and decoded, thresholded last."""
    real = dequantize(outputs["scores"], logits(classes, dtype))[0]
    if activation == "softmax":
        powers = np.exp(real - real.max(axis=1, keepdims=True))
        real = powers / powers.sum(axis=1, keepdims=True)
    elif activation == "sigmoid":
        real = 1 / (1 + np.exp(-real))
    rows, columns = np.nonzero(real[:, background:] >= score)
    t = dequantize(outputs["boxes"], BOXES).reshape(-1, 4) / [10, 10, 5, 5]
    centre = t[:, :2] * ANCHORS[:, 2:] + ANCHORS[:, :2]
    half = np.exp(t[:, 2:]) * ANCHORS[:, 2:] / 2
    corners = np.concatenate([centre - half, centre + half], axis=1)[rows].astype(np.float32)
    scores = real[rows, columns + background].astype(np.float32)
    kept = nms(corners, scores, columns, 0.5, 100)
    return [(f"c{columns[i]}", scores[i], corners[i][[1, 0, 3, 2]]) for i in kept]


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.05, 0.3, 0.5, 0.7]))
@pytest.mark.parametrize("dtype", ["int8", "float32"])
@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
@pytest.mark.parametrize("classes", [2, 5])
def test_it_finds_what_a_straightforward_decoder_finds(
    dtype, background, activation, classes, seed, score
) -> None:
    outputs = raw(classes, seed, dtype)
    found = decoder(classes, dtype, activation=activation, background=background, score=score).decode(outputs)
    wanted = straight(outputs, classes, dtype, activation, int(background), score)
    assert [d.label for d in found] == [label for label, _, _ in wanted]
    for detection, (_, expected, corners) in zip(found, wanted, strict=True):
        assert detection.score == pytest.approx(expected, abs=1e-6)
        assert detection.box == pytest.approx(corners, abs=1e-5)


def test_an_anchor_without_an_offset_is_the_box() -> None:
    outputs = {"scores": np.full((1, N, 2), -128, np.int8), "boxes": np.full((1, N, 1, 4), 31, np.int8)}
    outputs["scores"][0, 7, 1] = 100
    (found,) = decoder(2).decode(outputs)
    cy, cx, h, w = ANCHORS[7]
    assert found.box == pytest.approx((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), abs=1e-6)


def test_nothing_is_found_where_nothing_reaches_the_score() -> None:
    outputs = {"scores": np.full((1, N, 2), -128, np.int8), "boxes": np.zeros((1, N, 1, 4), np.int8)}
    assert decoder(2).decode(outputs) == []


def test_only_the_best_candidates_go_into_suppression() -> None:
    outputs = raw(2, 1)
    everything = decoder(2, score=0.0, iou=1.0).decode(outputs)
    few = decoder(2, score=0.0, iou=1.0, max_candidates=5).decode(outputs)
    assert len(everything) == N
    assert few == everything[:5]
    assert decoder(2, score=0.0, iou=1.0, max_findings=3).decode(outputs) == everything[:3]


def test_a_gap_in_the_labels_is_never_found() -> None:
    where = place(("???", "dog"), {"anchors": ANCHORS}, boxes=BOXES, scores=logits(3))
    made = Ssd(Ssd.Options(anchors="a.npy", score=0.0), where)
    assert {d.label for d in made.decode(raw(3, 1))} == {"dog"}


@pytest.mark.parametrize(
    ("anchors", "boxes", "scores", "told"),
    [
        (ANCHORS[:, :3], BOXES, logits(2), r"decoder\.anchors: expected an array \(n, 4\), found \(40, 3\)"),
        (ANCHORS[:9], BOXES, logits(2), r"outputs\.boxes: expected \(1, 9, 4\) for 9 anchors"),
        (ANCHORS, tensor("b", (1, N, 5)), logits(2), r"outputs\.boxes: expected \(1, 40, 4\)"),
        (ANCHORS, BOXES, tensor("s", (1, 2)), r"outputs\.scores: expected \(1, 40, classes\)"),
        (ANCHORS, BOXES, logits(4), r"decoder\.labels: .* has 3 classes besides the background"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(anchors, boxes, scores, told) -> None:
    with pytest.raises(BundleError, match=told):
        Ssd(Ssd.Options(anchors="a.npy"), place(("a",), {"anchors": anchors}, boxes=boxes, scores=scores))


# --- TFLite_Detection_PostProcess


def processed(labels=("cat", "dog"), **options) -> Ssd:
    roles = {name: tensor(name, ()) for name in ("boxes", "classes", "scores", "count")}
    return Ssd(Ssd.Options(**options), place(labels, **roles))


def outputs_of(classes, scores, count) -> dict[str, np.ndarray]:
    n = len(scores)
    return {
        "boxes": np.tile(np.float32([0.1, 0.2, 0.3, 0.4]), (1, n, 1)),
        "classes": np.float32([classes]),
        "scores": np.float32([scores]),
        "count": np.float32([count]),
    }


def test_post_processed_outputs_are_taken_best_first_up_to_their_count() -> None:
    found = processed().decode(outputs_of([0, 1, 0, 1], [0.6, 0.9, 0.2, 0.8], 3))
    assert [(d.label, round(d.score, 3)) for d in found] == [("dog", 0.9), ("cat", 0.6)]
    assert found[0].box == pytest.approx((0.2, 0.1, 0.4, 0.3))


def test_a_class_that_the_labels_do_not_know_is_called_by_its_number() -> None:
    assert processed().decode(outputs_of([17], [0.9], 1))[0].label == "#17"


def test_post_processed_outputs_need_all_four_roles() -> None:
    with pytest.raises(BundleError, match=r"outputs\.classes: is missing"):
        Ssd(Ssd.Options(), place(("a",), boxes=tensor("b", ()), scores=tensor("s", ())))
