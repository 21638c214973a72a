"""A float model with a signature, as Keras writes one: four numbers to three class scores; built by hand."""

from __future__ import annotations

from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from tests.engine import tiny

WEIGHTS = np.asarray([[2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 1, 1]], np.float32)
LABELS = ("first", "second", "rest")


def graph(weights: np.ndarray) -> tiny.Graph:
    """scores = weights · in."""
    options = schema.FullyConnectedOptionsT()
    tensors = [
        tiny.Tensor("in", [1, 4], tiny.FLOAT, 0.0),
        tiny.Tensor("weights", [3, 4], tiny.FLOAT, 0.0, data=weights.tobytes()),
        tiny.Tensor("bias", [3], tiny.FLOAT, 0.0, data=np.zeros(3, np.float32).tobytes()),
        tiny.Tensor("out", [1, 3], tiny.FLOAT, 0.0),
    ]
    code, kind = schema.BuiltinOperator.FULLY_CONNECTED, schema.BuiltinOptions.FullyConnectedOptions
    return tiny.Graph(tensors, [0], [3], [tiny.Op(code, [0, 1, 2], [3], kind, options)])


def save(path: Path, *, signature: bool = True, weights: np.ndarray = WEIGHTS) -> Path:
    saved = graph(weights).save(path)
    return _signed(saved) if signature else saved


def _signed(path: Path) -> Path:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(path.read_bytes(), 0))
    definition = schema.SignatureDefT()
    definition.signatureKey, definition.subgraphIndex = "serving_default", 0
    definition.inputs, definition.outputs = [_tensor("readings", 0)], [_tensor("scores", 3)]
    model.signatureDefs = [definition]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    return path


def _tensor(name: str, index: int) -> schema.TensorMapT:
    made = schema.TensorMapT()
    made.name, made.tensorIndex = name, index
    return made


def rows(count: int, seed: int = 0) -> np.ndarray:
    """(count, 4), each with one large number: of the first, the second or the rest."""
    rng = np.random.default_rng(seed)
    made = rng.uniform(0, 0.4, (count, 4))
    made[np.arange(count), np.arange(count) % 3] += 1
    return made


def csv(path: Path, values: np.ndarray, labels: list[str] | None = None) -> Path:
    """One row a recording, so that a window of one row is a sample."""
    head = ["a", "b", "c", "d", "recording"] + (["label"] if labels else [])
    lines = [
        ",".join([*map(str, row.tolist()), str(n), *([labels[n]] if labels else [])])
        for n, row in enumerate(values)
    ]
    path.write_text("\n".join([",".join(head), *lines]) + "\n")
    return path
