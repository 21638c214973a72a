"""The decoder `anomaly`."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.decoders.anomaly import Anomaly
from edgeinfer.errors import BundleError
from edgeinfer.events import Score, Value
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import ModelSpec, TensorSpec

GIVEN = TensorSpec("in", (1, 4), "int8", 0.5, 0, 0)
FOUND = TensorSpec("out", (1, 4), "int8", 0.25, -10, 1)


def decoder(threshold=2.0, give="value", found=FOUND, labels=("bearing",)) -> Anomaly:
    place = DecoderPlace(labels, ModelSpec((GIVEN,), (found,)), {"reconstruction": "out"})
    return Anomaly(Anomaly.Options(threshold=threshold, give=give), place)


def outputs(given, found) -> dict[str, np.ndarray]:
    return {"in": np.array([given], np.int8), "out": np.array([found], np.int8)}


def test_what_is_reproduced_is_no_anomaly() -> None:
    assert decoder().decode(outputs([2, 2, 2, 2], [-6, -6, -6, -6])) == [Value("bearing", 0.0, "threshold")]


def test_the_value_is_the_mean_squared_error_in_thresholds() -> None:
    (value,) = decoder().decode(outputs([8, 0, 0, 0], [-10, -10, -10, -10]))  # 4² / 4 = 4
    assert value == Value("bearing", 2.0, "threshold")


def test_as_a_score_the_threshold_is_one_half() -> None:
    assert decoder(4.0, "score").decode(outputs([8, 0, 0, 0], [-10] * 4)) == [Score("bearing", 0.5)]


def test_a_reconstruction_of_another_size_is_refused_with_both_shapes() -> None:
    with pytest.raises(BundleError, match=r"outputs.reconstruction: .*'in' \(1, 4\).*has the shape \(1, 3\)"):
        decoder(found=TensorSpec("out", (1, 3), "int8", 0.25, 0, 1))


def test_one_label_is_expected() -> None:
    with pytest.raises(BundleError, match="expected one label, the file has 2"):
        decoder(labels=("a", "b"))
