"""Confusion matrix and AUC."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeinfer.evaluate.classes import auc, confusion

VALUES = st.lists(st.integers(0, 6), min_size=1, max_size=12).map(lambda v: np.asarray(v, float))


def test_rows_are_what_is_and_columns_what_is_said() -> None:
    table = confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"])
    assert table.table.tolist() == [[1, 1], [0, 1]]
    assert table.top1 == pytest.approx(2 / 3)
    assert (table.recall("a"), table.precision("a"), table.samples("a")) == (0.5, 1.0, 2)


def test_what_the_data_does_not_know_gets_a_column_of_its_own() -> None:
    table = confusion(["a"], ["nothing"], ["a"])
    assert table.labels == ("a", "nothing")
    assert table.top1 == 0.0


@settings(deadline=None)  # a busy host stretches the first call
@given(VALUES, VALUES)
def test_auc_is_the_chance_that_a_bad_one_is_larger(good, bad) -> None:
    pairs = [(b > g) + (b == g) / 2 for g in good for b in bad]
    assert auc(good, bad) == pytest.approx(sum(pairs) / len(pairs))
