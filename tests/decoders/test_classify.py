"""A vector of class scores."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.decoders.classify import Classify
from edgeinfer.errors import BundleError
from tests.decoders.places import place, tensor

LABELS = ("a", "b", "c")
INT8 = tensor("scores", (1, 3), "int8", 1 / 256, -128)


def decode(values, spec=INT8, labels=LABELS, **options) -> list[tuple[str, float]]:
    made = Classify(Classify.Options(**options), place(labels, scores=spec))
    return [(s.label, round(s.score, 3)) for s in made.decode({spec.name: np.array([values], spec.dtype)})]


def test_the_best_come_first() -> None:
    assert decode([-128, 127, 0], activation="none") == [("b", 0.996), ("c", 0.5), ("a", 0.0)]


def test_only_so_many_and_only_what_reaches_the_score() -> None:
    assert decode([-128, 127, 0], activation="none", top_k=1) == [("b", 0.996)]
    assert decode([-128, 127, 0], activation="none", score=0.6) == [("b", 0.996)]


def test_logits_become_probabilities() -> None:
    spec = tensor("scores", (1, 3))
    assert decode([2.0, 0.0, 0.0], spec, top_k=1) == [("a", 0.787)]
    assert decode([2.0, 0.0, -2.0], spec, activation="sigmoid", multi_label=True, score=0.5, top_k=1) == [
        ("a", 0.881),
        ("b", 0.5),
    ]


def test_the_background_is_no_class_and_keeps_its_share() -> None:
    assert decode([2.0, 0.0, 0.0], tensor("s", (1, 3)), ("b", "c"), background=True) == [
        ("b", 0.107),
        ("c", 0.107),
    ]


def test_axes_of_length_one_do_not_matter() -> None:
    spec = tensor("scores", (1, 1, 1, 3))
    made = Classify(Classify.Options(activation="none"), place(LABELS, scores=spec))
    assert made.decode({"scores": np.float32([0.1, 0.7, 0.2]).reshape(1, 1, 1, 3)})[0].label == "b"


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        (tensor("s", (2, 3)), r"outputs\.scores: expected \(1, classes\)"),
        (tensor("s", ()), r"outputs\.scores: expected \(1, classes\)"),
        (tensor("s", (1, 7)), r"decoder\.labels: .* has 7 classes, the labels file has 3 labels"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(spec, told) -> None:
    with pytest.raises(BundleError, match=told):
        Classify(Classify.Options(), place(LABELS, scores=spec))


# --- one number for two labels

ONE = tensor("scores", (1, 1), "int8", 1 / 256, -128)


def test_one_number_is_that_of_the_second_of_two_labels() -> None:
    found = decode([64], ONE, ("good", "bad"), activation="none")
    assert found == [("bad", 0.75), ("good", 0.25)]


def test_one_logit_of_two_labels_takes_a_sigmoid() -> None:
    spec = tensor("scores", (1, 1))
    assert decode([0.0], spec, ("good", "bad"), activation="sigmoid", score=0.4) == [
        ("good", 0.5),
        ("bad", 0.5),
    ]


def test_a_softmax_of_one_number_is_refused() -> None:
    with pytest.raises(BundleError, match=r"decoder\.activation: .* a softmax of one number is always 1"):
        decode([0], ONE, ("good", "bad"))


def test_one_number_with_one_label_is_its_score() -> None:
    assert decode([64], ONE, ("bad",), activation="none") == [("bad", 0.75)]
