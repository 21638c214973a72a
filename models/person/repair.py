"""Two repairs of an int8 .tflite that the converter lacks: bias correction and narrowed outputs.

They change numbers in the file, never its shape: it stays as fast and as large.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from detector import Picture, dequantize, tensor_of
from numpy.typing import NDArray

_CONV, _DEPTHWISE = schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.DEPTHWISE_CONV_2D
_CONCAT, _RESHAPE = schema.BuiltinOperator.CONCATENATION, schema.BuiltinOperator.RESHAPE


def correct_bias(model: bytes, reference: bytes, pictures: Sequence[Picture]) -> bytes:
    """Takes out what int8 weights shift: layer by layer, each channel's mean goes back to the float model's.

    Rounded weights move the mean of a channel, the shifts add up from layer to layer, and in the end scores near
    the threshold fall on its other side. In order from the input, since each correction changes all layers behind it.
    Source: Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", ICCV 2019;
    the empirical form, which measures the means, of its bias correction.
    """
    unpacked = _unpack(model)
    layers = [op for op in unpacked.subgraphs[0].operators if _code(unpacked, op) in {_CONV, _DEPTHWISE}]
    tensors = unpacked.subgraphs[0].tensors
    names = [tensors[op.outputs[0]].name.decode() for op in layers]
    wanted = _channel_means(reference, names, pictures)
    for op, name in zip(layers, names, strict=True):
        shift = wanted[name] - _channel_means(_pack(unpacked), [name], pictures)[name]
        bias = tensors[op.inputs[2]]
        buffer = unpacked.buffers[bias.buffer]
        steps = np.frombuffer(bytes(buffer.data), np.int32) + np.round(shift / bias.quantization.scale)
        buffer.data = np.frombuffer(steps.astype("<i4").tobytes(), np.uint8)
    return _pack(unpacked)


def _channel_means(
    model: bytes, names: Sequence[str], pictures: Sequence[Picture]
) -> dict[str, NDArray[np.float64]]:
    """The mean real value of each channel of the named tensors, over all places and pictures."""
    tflite = Interpreter(
        model_content=model,
        experimental_preserve_all_tensors=True,
        # XNNPACK fuses layers and keeps nothing of what is between them.
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    tflite.allocate_tensors()
    source = tflite.get_input_details()[0]
    tensors = {d["name"]: d for d in tflite.get_tensor_details()}
    total: dict[str, Any] = dict.fromkeys(names, 0.0)
    for picture in pictures:
        tflite.set_tensor(source["index"], tensor_of(picture, source))
        tflite.invoke()
        for name in names:
            real = dequantize(tflite.get_tensor(tensors[name]["index"]), tensors[name])
            total[name] = total[name] + real.mean(axis=(0, 1, 2), dtype=np.float64)
    return {name: value / len(pictures) for name, value in total.items()}


def narrow(model: bytes, output: str, low: float, high: float) -> bytes:
    """Spends the 256 steps of `output` on [low, high]; what is outside saturates.

    The logits span -14..14, but a threshold lives between -3 and 6: a step of 0.12 becomes one of 0.035. Only scales
    and zero points change, from `output` back through reshapes to the convolutions that make it.
    """
    unpacked = _unpack(model)
    scale = (high - low) / 255
    for index in _feeding(unpacked, output):
        quantization = unpacked.subgraphs[0].tensors[index].quantization
        quantization.scale = np.float32([scale])
        quantization.zeroPoint = np.int64([round(-128 - low / scale)])
    return _pack(unpacked)


def _feeding(model: Any, output: str) -> Iterator[int]:
    """The tensor `output` and, backwards, all that must share its scale."""
    graph = model.subgraphs[0]
    made_by = {index: op for op in graph.operators for index in op.outputs}
    open_ends = [next(i for i, t in enumerate(graph.tensors) if t.name.decode() == output)]
    while open_ends:
        index = open_ends.pop()
        yield index
        code, op = _code(model, made_by[index]), made_by[index]
        if code not in {_CONCAT, _RESHAPE, _CONV}:
            raise ValueError(
                f"{output} comes from an operator {code} that fixes its own scale: cannot be narrowed"
            )
        open_ends += {_CONCAT: list(op.inputs), _RESHAPE: [op.inputs[0]], _CONV: []}[code]


def _code(model: Any, op: Any) -> int:
    """Small codes stand in the old field, large ones in the new: the greater counts (TFLite schema, version 3a)."""
    code = model.operatorCodes[op.opcodeIndex]
    return max(code.builtinCode, code.deprecatedBuiltinCode)


def _unpack(model: bytes) -> Any:
    return schema.ModelT.InitFromPackedBuf(model)


def _pack(model: Any) -> bytes:
    builder = flatbuffers.Builder(1 << 22)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())
