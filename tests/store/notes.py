"""TFLite metadata as its tools write it, built field by field, and put into a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import flatbuffers
from ai_edge_litert import schema_py_generated as schema

from tests.engine import tiny


def tensor(name: str, *, mean=(), std=(), colour: int = 0, labels: str = "", least_score: float = 0.0):
    return {"name": name, "mean": mean, "std": std, "colour": colour, "labels": labels, "least": least_score}


def notes(inputs: Sequence[dict] = (), outputs: Sequence[dict] = (), licence: str = "") -> bytes:
    b = flatbuffers.Builder(256)
    graph = _table(
        b, {2: _vector(b, [_tensor(b, t) for t in inputs]), 3: _vector(b, [_tensor(b, t) for t in outputs])}
    )
    graphs, words = _vector(b, [graph]), {1: b.CreateString("made by the tests"), 5: b.CreateString(licence)}
    b.Finish(_table(b, {3: graphs, **words}), b"M001")
    return bytes(b.Output())


def put_into(graph: tiny.Graph, path: Path, metadata: bytes) -> Path:
    """`graph` with `metadata` as its TFLITE_METADATA and a signature over its tensors."""
    model = schema.ModelT.InitFromPackedBuf(graph.pack())
    buffer = schema.BufferT()
    buffer.data = list(metadata)
    model.buffers.append(buffer)
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [entry]
    model.signatureDefs = [_signature(graph)]
    b = flatbuffers.Builder(1024)
    b.Finish(model.Pack(b), b"TFL3")
    path.write_bytes(bytes(b.Output()))
    return path


def _signature(graph: tiny.Graph):
    made = schema.SignatureDefT()
    made.signatureKey, made.subgraphIndex = "serving_default", 0
    made.inputs = [_mapped("picture", graph.inputs[0])]
    made.outputs = [_mapped(f"output_{i}", index) for i, index in enumerate(graph.outputs)]
    return made


def _mapped(name: str, index: int):
    entry = schema.TensorMapT()
    entry.name, entry.tensorIndex = name, index
    return entry


def _tensor(b, t: dict) -> int:
    fields = {0: b.CreateString(t["name"])}
    if t["colour"]:
        picture = _table(b, {}, {0: t["colour"]})
        fields[3] = _table(b, {1: picture}, {0: 2})
    units = []
    if t["mean"]:
        units.append(_table(b, {1: _table(b, {0: _floats(b, t["mean"]), 1: _floats(b, t["std"])})}, {0: 1}))
    if t["least"]:
        b.StartObject(1)
        b.PrependFloat32Slot(0, t["least"], 0.0)
        units.append(_table(b, {1: b.EndObject()}, {0: 3}))
    if units:
        fields[4] = _vector(b, units)
    if t["labels"]:
        fields[6] = _vector(b, [_table(b, {0: b.CreateString(t["labels"])}, {2: 2})])
    return _table(b, fields)


def _table(b, offsets: dict[int, int], bytes_: dict[int, int] | None = None) -> int:
    b.StartObject(8)
    for field, value in (bytes_ or {}).items():
        b.PrependInt8Slot(field, value, 0)
    for field, offset in offsets.items():
        b.PrependUOffsetTRelativeSlot(field, offset, 0)
    return b.EndObject()


def _vector(b, offsets: list[int]) -> int:
    b.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        b.PrependUOffsetTRelative(offset)
    return b.EndVector()


def _floats(b, values) -> int:
    b.StartVector(4, len(values), 4)
    for value in reversed(values):
        b.PrependFloat32(value)
    return b.EndVector()
