"""What keeps accelerators from taking a model, judged by its file alone; what one really took, only a run tells.

Source of the list: Coral's "TensorFlow models on the Edge TPU", table of supported operations; most NPUs of its
kind take less. Requirements of the same page: 8-bit integers throughout, and shapes that are known beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgeinfer.engine.describe import ModelFacts

_COMPILED = "edgetpu-custom-op"
_POST_PROCESS = "TFLite_Detection_PostProcess"
_CONTROL = {"IF", "WHILE", "CALL", "CALL_ONCE", "VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"}
_EDGE_TPU = {
    "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "EXPAND_DIMS", "FULLY_CONNECTED",
    "L2_NORMALIZATION", "LOGISTIC", "LSTM", "UNIDIRECTIONAL_SEQUENCE_LSTM", "MAX_POOL_2D", "MAXIMUM", "MEAN",
    "MINIMUM", "MUL", "PACK", "PAD", "PRELU", "QUANTIZE", "REDUCE_MAX", "REDUCE_MIN", "RELU", "RELU6",
    "RELU_N1_TO_1", "RESHAPE", "RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR", "RSQRT", "SLICE", "SOFTMAX",
    "SPACE_TO_DEPTH", "SPLIT", "SQUEEZE", "STRIDED_SLICE", "SUB", "SUM", "SQUARED_DIFFERENCE", "TANH",
    "TRANSPOSE", "TRANSPOSE_CONV",
}  # fmt: skip


def obstacles(facts: ModelFacts) -> Iterator[str]:
    """A sentence for each thing that no accelerator takes, or that an Edge TPU does not."""
    names = facts.operators.keys()
    if _COMPILED in names:
        yield "compiled for an Edge TPU: it runs there and nowhere else; `add` it beside the file it came from"
        return
    if _POST_PROCESS in names:
        yield f"{_POST_PROCESS} stays on the CPU with every delegate (it is small)"
    custom = sorted(n for n in names if n not in {_POST_PROCESS, "DELEGATE"} and n != n.upper())
    if custom:
        yield f"custom operators, which no delegate takes unless it brings them: {', '.join(custom)}"
    if control := sorted(_CONTROL & names):
        yield f"control flow or variables, which no delegate takes: {', '.join(control)}"
    unknown = [t.name for t in facts.spec.inputs if any(n < 1 for n in t.shape) or not t.shape]
    if unknown:
        yield f"inputs without a fixed shape, which accelerators refuse: {', '.join(unknown)}"
    if plain := sorted({t.dtype for t in facts.spec.inputs if not t.quantized}):
        yield f"inputs that are not quantized ({', '.join(plain)}): an Edge TPU takes nothing before QUANTIZE"
    other = sorted(n for n in names - _EDGE_TPU - _CONTROL if n == n.upper())
    if other:
        yield f"operators that an Edge TPU leaves to the CPU, with all that follows them: {', '.join(other)}"
