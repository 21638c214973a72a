"""What keeps accelerators from taking a model."""

from __future__ import annotations

import pytest

from edgeinfer.engine.describe import ModelFacts
from edgeinfer.engine.takers import obstacles
from edgeinfer.tensors import ModelSpec, TensorSpec


def facts(*operators: str, shape: tuple[int, ...] = (1, 8, 8, 3), scale: float = 0.1) -> ModelFacts:
    tensor = TensorSpec("x", shape, "int8" if scale else "float32", scale, 0, 0)
    return ModelFacts("m", 1, "r", ModelSpec((tensor,), (tensor,)), dict.fromkeys(operators, 1), {})


def test_a_plain_int8_network_meets_no_obstacle() -> None:
    assert list(obstacles(facts("CONV_2D", "RELU6", "SOFTMAX"))) == []


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (facts("CONV_2D", "GATHER_ND"), "operators that an Edge TPU leaves to the CPU.*: GATHER_ND"),
        (facts("WHILE"), "control flow .* which no delegate takes: WHILE"),
        (facts("MyOp"), "custom operators, .*: MyOp"),
        (facts("TFLite_Detection_PostProcess"), "stays on the CPU with every delegate"),
        (facts("edgetpu-custom-op"), "compiled for an Edge TPU"),
        (facts("CONV_2D", shape=(1, -1, 8, 3)), "inputs without a fixed shape.*: x"),
        (facts("CONV_2D", scale=0.0), r"inputs that are not quantized \(float32\)"),
    ],
)
def test_each_obstacle_is_told(found: ModelFacts, told: str) -> None:
    import re

    (sentence,) = obstacles(found)
    assert re.search(told, sentence)
