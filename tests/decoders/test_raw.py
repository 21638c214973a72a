"""Outputs as numbers."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.decoders.raw import MOST, Raw
from edgeinfer.errors import BundleError
from edgeinfer.events import Value
from tests.decoders.places import place, tensor

GAUGE, WEAR = tensor("gauge", (1, 2)), tensor("wear", (1,), "int8", 0.5, -10)


def test_every_number_has_its_label_in_the_order_of_the_roles() -> None:
    made = Raw(Raw.Options(), place(("bar", "turns", "wear"), a=GAUGE, b=WEAR))
    found = made.decode({"gauge": np.float32([[1.5, 2.5]]), "wear": np.int8([10])})
    assert found == [Value("bar", 1.5), Value("turns", 2.5), Value("wear", 10.0)]


def test_factor_offset_and_unit_make_a_reading_of_it() -> None:
    made = Raw(Raw.Options(factor=10, offset=-1, unit="bar"), place(("p", "q"), a=GAUGE))
    assert made.decode({"gauge": np.float32([[0.5, 0]])}) == [Value("p", 4.0, "bar"), Value("q", -1.0, "bar")]


@pytest.mark.parametrize(
    ("labels", "roles", "told"),
    [
        (("a",), {"a": GAUGE}, r"one label for each of the 2 numbers of the outputs \('gauge' \(1, 2\)\)"),
        (("a",), {"a": tensor("x", ())}, r"outputs: expected tensors of a fixed size, found 'x' \(\)"),
        (("a",), {}, "found none"),
        (("a",) * (MOST + 1), {"a": tensor("x", (MOST + 1,))}, f"at most {MOST}"),
    ],
)
def test_what_is_no_row_of_named_numbers_is_refused(labels, roles, told) -> None:
    with pytest.raises(BundleError, match=told):
        Raw(Raw.Options(), place(labels, **roles))
