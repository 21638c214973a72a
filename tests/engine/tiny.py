"""Tiny real .tflite files, built byte by byte with the schema that LiteRT ships, and bundles around them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from flatbuffers import flexbuffers

INT8 = schema.TensorType.INT8
FLOAT = schema.TensorType.FLOAT32


@dataclass
class Tensor:
    name: str
    shape: list[int]
    dtype: int = INT8
    scale: float = 1 / 255
    zero_point: int = -128
    data: bytes | None = None


@dataclass
class Op:
    code: int
    inputs: list[int]
    outputs: list[int]
    options_type: int = 0
    options: Any = None
    version: int = 1
    custom: str | None = None
    custom_options: bytes | None = None


@dataclass
class Graph:
    tensors: list[Tensor]
    inputs: list[int]
    outputs: list[int]
    ops: list[Op] = field(default_factory=list)

    def save(self, path: Path) -> Path:
        path.write_bytes(self.pack())
        return path

    def pack(self) -> bytes:
        model, graph = schema.ModelT(), schema.SubGraphT()
        model.version, model.buffers, model.operatorCodes = 3, [schema.BufferT()], []
        graph.name, graph.inputs, graph.outputs = "main", self.inputs, self.outputs
        graph.tensors = [_tensor(t, model.buffers) for t in self.tensors]
        graph.operators = [_op(op, model.operatorCodes) for op in self.ops]
        model.subgraphs = [graph]
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def _tensor(t: Tensor, buffers: list[Any]) -> Any:
    made = schema.TensorT()
    made.name, made.shape, made.type, made.buffer = t.name, t.shape, t.dtype, 0
    if t.scale:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [t.scale], [t.zero_point]
    if t.data is not None:
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(t.data, np.uint8)
        made.buffer = len(buffers)
        buffers.append(buffer)
    return made


def _op(op: Op, codes: list[Any]) -> Any:
    code, made = schema.OperatorCodeT(), schema.OperatorT()
    code.builtinCode, code.deprecatedBuiltinCode, code.version = op.code, min(op.code, 127), op.version
    if op.custom:
        code.customCode = op.custom
    made.opcodeIndex, made.inputs, made.outputs = len(codes), op.inputs, op.outputs
    if op.options is not None:
        made.builtinOptionsType, made.builtinOptions = op.options_type, op.options
    if op.custom_options is not None:
        made.customOptions = np.frombuffer(op.custom_options, np.uint8)
    codes.append(code)
    return made


def softmax(classes: int = 4) -> Graph:
    """int8 logits of scale 0.1 to int8 probabilities."""
    options = schema.SoftmaxOptionsT()
    options.beta = 1.0
    tensors = [
        Tensor("logits", [1, classes], scale=0.1, zero_point=0),
        Tensor("probabilities", [1, classes], scale=1 / 256),
    ]
    op = Op(
        schema.BuiltinOperator.SOFTMAX, [0], [1], schema.BuiltinOptions.SoftmaxOptions, options, version=2
    )
    return Graph(tensors, [0], [1], [op])


def echo(shape: tuple[int, ...] = (1, 8, 8, 3)) -> Graph:
    """The input picture is the output: RGB as three "classes" of a grid, pixel / 255 as probability."""
    options = schema.ReshapeOptionsT()
    options.newShape = list(shape)
    op = Op(schema.BuiltinOperator.RESHAPE, [0], [1], schema.BuiltinOptions.ReshapeOptions, options)
    return Graph([Tensor("picture", list(shape)), Tensor("heat", list(shape))], [0], [1], [op])


def unknown_op() -> Graph:
    """What a file compiled for an Edge TPU looks like to the CPU."""
    op = Op(schema.BuiltinOperator.CUSTOM, [0], [1], custom="edgetpu-custom-op", custom_options=bytes(16))
    return Graph([Tensor("in", [1, 8]), Tensor("out", [1, 8])], [0], [1], [op])


def post_process(anchors: np.ndarray, classes: int = 2) -> Graph:
    """TFLite_Detection_PostProcess over float inputs `boxes` (1, n, 4) and `scores` (1, n, classes + 1)."""
    n = len(anchors)
    options = {
        "max_detections": 10, "max_classes_per_detection": 1, "detections_per_class": 100, "use_regular_nms": False,
        "nms_score_threshold": 0.3, "nms_iou_threshold": 0.5, "num_classes": classes,
        "y_scale": 10.0, "x_scale": 10.0, "h_scale": 5.0, "w_scale": 5.0,
    }  # fmt: skip
    outputs = [Tensor(f"TFLite_Detection_PostProcess{i}", [], FLOAT, 0.0) for i in ("", ":1", ":2", ":3")]
    tensors = [
        Tensor("boxes", [1, n, 4], FLOAT, 0.0),
        Tensor("scores", [1, n, classes + 1], FLOAT, 0.0),
        Tensor("anchors", [n, 4], FLOAT, 0.0, data=anchors.astype(np.float32).tobytes()),
        *outputs,
    ]
    code, custom = schema.BuiltinOperator.CUSTOM, "TFLite_Detection_PostProcess"
    op = Op(code, [0, 1, 2], [3, 4, 5, 6], custom=custom, custom_options=bytes(flexbuffers.Dumps(options)))
    return Graph(tensors, [0, 1], [3, 4, 5, 6], [op])


MANIFEST = """\
format = 1
name = "colours"
version = "1"
summary = "Blocks of pure colour."
licence = "Apache-2.0"
provenance = "built by the tests"

[variants]
cpu = "echo.tflite"

[input]
fit = "stretch"
layout = "NHWC"
colour = "RGB"
mean = 0
std = 255

[outputs]
heat = "heat"

[decoder]
kind = "grid"
activation = "none"
background = false
labels = "labels.txt"
score = 0.6
cells = "box"

[[golden]]
input = "golden.png"
expect = "golden.json"
"""

EXPECTED = [{"label": "green", "score": 1.0, "box": [0.25, 0.25, 0.5, 0.5]}]


def picture() -> np.ndarray:
    """Black, 64 x 64, with one green block; BGR."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[16:32, 16:32] = (0, 255, 0)
    return pixels


def colours(folder: Path, *edits: tuple[str, str]) -> Path:
    """A whole bundle in `folder`; `edits` are replaced in its manifest, its hashes are written last."""
    folder.mkdir(parents=True, exist_ok=True)
    echo().save(folder / "echo.tflite")
    (folder / "labels.txt").write_text("red\ngreen\nblue\n")
    (folder / "golden.json").write_text(json.dumps(EXPECTED))
    cv2.imwrite(str(folder / "golden.png"), picture())
    return seal(folder, *edits)


def seal(folder: Path, *edits: tuple[str, str]) -> Path:
    """Writes the manifest with the sha256 of every file in `folder`."""
    text = MANIFEST
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    sums = [
        (p.name, sha256(p.read_bytes()).hexdigest())
        for p in sorted(folder.iterdir())
        if p.name != "manifest.toml"
    ]
    files = "".join(f'"{name}" = "{digest}"\n' for name, digest in sums)
    (folder / "manifest.toml").write_text(f"{text}\n[files]\n{files}" if "[files]" not in text else text)
    return folder
