"""What a runtime tells of a model."""

from __future__ import annotations

from edgeinfer.engine.tflite import distinct
from edgeinfer.tensors import TensorSpec


def test_tensors_that_share_a_name_are_told_apart_by_their_number() -> None:
    tensors = [TensorSpec(name, (1,), "int8", 0.1, 0, n) for n, name in enumerate(("out", "other", "out"))]
    assert [t.name for t in distinct(tensors)] == ["out#0", "other", "out#2"]
