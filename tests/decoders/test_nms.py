"""Non-maximum suppression."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.decoders.nms import nms
from edgeinfer.geometry import Box, iou

share = st.integers(0, 64).map(lambda n: n / 64)  # float32 holds areas of these exactly


@st.composite
def candidates(draw):
    n = draw(st.integers(0, 25))
    corners = draw(st.lists(st.tuples(share, share, share, share), min_size=n, max_size=n))
    boxes = [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners]
    scores = draw(st.lists(share, min_size=n, max_size=n))
    classes = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    return np.array(boxes, np.float32).reshape(n, 4), np.array(scores, np.float32), np.array(classes, int)


def overlap(boxes: np.ndarray, i: int, j: int) -> float:
    return iou(Box(*boxes[i].tolist()), Box(*boxes[j].tolist()))


@given(candidates(), st.floats(0.1, 0.9))
def test_no_two_that_stay_overlap_within_a_class(found, limit) -> None:
    boxes, scores, classes = found
    kept = nms(boxes, scores, classes, limit, 100)
    for n, i in enumerate(kept):
        for j in kept[n + 1 :]:
            assert classes[i] != classes[j] or overlap(boxes, i, j) <= limit + 1e-5


@given(candidates(), st.floats(0.1, 0.9))
def test_whoever_goes_overlaps_a_better_one_that_stays(found, limit) -> None:
    boxes, scores, classes = found
    kept = nms(boxes, scores, classes, limit, 100).tolist()
    for i in set(range(len(scores))) - set(kept):
        better = [k for k in kept if classes[k] == classes[i] and scores[k] >= scores[i]]
        assert any(overlap(boxes, k, i) > limit - 1e-5 for k in better)


@given(candidates(), st.floats(0.1, 0.9))
def test_the_best_come_first_and_stay_when_there_is_a_limit(found, limit) -> None:
    boxes, scores, classes = found
    kept = nms(boxes, scores, classes, limit, 100).tolist()
    assert sorted(kept, key=lambda i: -scores[i]) == kept
    assert nms(boxes, scores, classes, limit, 3).tolist() == kept[:3]


@given(candidates())
def test_suppressing_twice_changes_nothing(found) -> None:
    boxes, scores, classes = found
    kept = nms(boxes, scores, classes, 0.5, 100)
    again = nms(boxes[kept], scores[kept], classes[kept], 0.5, 100)
    assert again.tolist() == list(range(len(kept)))


def test_equal_scores_keep_their_order() -> None:
    boxes = np.array([[0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3]], np.float32)
    assert nms(boxes, np.ones(3, np.float32), np.zeros(3, int), 0.5, 10).tolist() == [0, 2]


def test_many_boxes_are_suppressed_as_few_are() -> None:
    rng = np.random.default_rng(4)
    corner = rng.uniform(0, 1, (900, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.05, 0.2, (900, 2))], axis=1).astype(np.float32)
    scores, classes = rng.uniform(0, 1, 900).astype(np.float32), rng.integers(0, 3, 900)
    many = nms(boxes, scores, classes, 0.4, 900).tolist()
    kept: list[int] = []
    for i in np.argsort(-scores):
        if all(classes[i] != classes[k] or overlap(boxes, i, k) <= 0.4 for k in kept):
            kept.append(int(i))
    assert 256 < len(kept) < 800
    assert many == kept


def test_numbers_that_are_none_suppress_nobody() -> None:
    boxes = np.tile(np.float32([0, 0, 1, 1]), (40, 1)) + 2 * np.arange(40, dtype=np.float32)[:, None]
    boxes[3], boxes[4] = np.nan, np.inf
    scores = np.linspace(1, 0.5, 40, dtype=np.float32)
    assert len(nms(boxes, scores, np.zeros(40, int), 0.5, 100)) == 40
