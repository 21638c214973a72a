"""What all decoders ask of a model's outputs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.decoders.outputs import activate, check_labels, check_roles, least, logit, role
from edgeinfer.errors import BundleError
from edgeinfer.tensors import dequantize
from tests.decoders.places import place, tensor


@given(st.floats(0.001, 0.999), st.floats(0.01, 1.0), st.integers(-128, 127))
def test_the_integer_threshold_never_drops_what_the_real_one_keeps(score, scale, zero_point) -> None:
    spec = tensor("t", (1, 256), "int8", scale, zero_point)
    values = np.arange(-128, 128).astype(np.int8)
    kept = values >= least(logit(score), spec)
    wanted = activate(dequantize(values, spec), "sigmoid") >= np.float32(score)
    assert not (wanted & ~kept).any()
    assert (kept & ~wanted).sum() <= 3


@given(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=9))
def test_softmax_gives_probabilities_in_the_order_of_the_logits(values) -> None:
    real = np.array(values, np.float32)
    made = activate(real, "softmax")
    assert made.sum() == pytest.approx(1, abs=1e-5)
    assert made[real.argmax()] == made.max()


@given(st.floats(0.001, 0.999))
def test_logit_is_the_inverse_of_the_sigmoid(score) -> None:
    assert activate(np.array([logit(score)]), "sigmoid")[0] == pytest.approx(score, abs=1e-6)


def test_a_missing_role_is_refused_with_the_nearest() -> None:
    with pytest.raises(BundleError, match=r"outputs\.scores: is missing; did you mean 'score'\?"):
        role(place((), score=tensor("t", (1, 2))), "scores")


def test_a_role_that_the_decoder_does_not_know_is_refused() -> None:
    with pytest.raises(BundleError, match=r"outputs\.score: there is no such role; did you mean 'scores'\?"):
        check_roles(place((), score=tensor("t", (1, 2))), ("boxes", "scores"))


@pytest.mark.parametrize(("classes", "background"), [(90, True), (91, False)])
def test_a_number_of_labels_that_differs_is_told_with_both_numbers(classes, background) -> None:
    where = place(("a",) * 80, scores=tensor("t", (1, 9, 91)))
    with pytest.raises(BundleError, match=rf"output 't' \(1, 9, 91\) has {classes} classes.*80 labels$"):
        check_labels(where, classes, role(where, "scores"), background=background)


def test_a_background_that_was_forgotten_is_suspected() -> None:
    where = place(("a", "b"), scores=tensor("t", (1, 3)))
    with pytest.raises(
        BundleError, match=r"is its first class the background \(decoder\.background = true\)\?"
    ):
        check_labels(where, 3, role(where, "scores"), background=False)
    with pytest.raises(BundleError, match=r"is there a background at all \(decoder\.background\)\?"):
        check_labels(where, 1, role(where, "scores"), background=True)
