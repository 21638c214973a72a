"""Models whose tensors are not int8: real files, the whole way."""

from __future__ import annotations

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgeinfer.engine.describe import describe
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import open_predictor
from edgeinfer.errors import BundleError
from edgeinfer.events import Detection, Frame, Instant
from edgeinfer.geometry import Box
from edgeinfer.store import open_bundle
from tests.engine import tiny

FRAME = Frame(("cam", 1), Instant("b", 5, 6), tiny.picture())
SHAPE = (1, 8, 8, 3)


def echo(dtype: int, scale: float) -> tiny.Graph:
    graph = tiny.echo(SHAPE)
    for tensor in graph.tensors:
        tensor.dtype, tensor.scale, tensor.zero_point = dtype, scale, 0
    return graph


def folder_with(path, graph: tiny.Graph):
    folder = tiny.colours(path)
    graph.save(folder / "echo.tflite")
    return tiny.seal(folder)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [
        (schema.TensorType.INT16, 1 / 32767),
        (schema.TensorType.FLOAT32, 0.0),
        (schema.TensorType.UINT8, 1 / 255),
    ],
)
def test_int16_float_and_uint8_models_run(tmp_path, dtype, scale) -> None:
    predictor = open_predictor(
        open_bundle(folder_with(tmp_path / "b", echo(dtype, scale))), ModelOptions(bundle="b")
    )
    (found,) = predictor.predict(FRAME).findings
    predictor.close()
    assert isinstance(found, Detection)
    assert (found.label, found.box) == ("green", Box(0.25, 0.25, 0.5, 0.5))
    assert found.score == pytest.approx(1, abs=0.005)


def any_size() -> tiny.Graph:
    """Height and width are left open, as a converter does it for a model of any size."""
    return tiny.Graph(
        [tiny.Tensor(name, [1, 1, 1, 3], tiny.FLOAT, 0.0) for name in ("picture", "heat")],
        [0],
        [1],
        [tiny.Op(schema.BuiltinOperator.RELU, [0], [1])],
    )


def signed(graph: tiny.Graph, path):
    """The same with a shape signature of -1 for height and width."""
    import flatbuffers

    model = schema.ModelT.InitFromPackedBuf(graph.pack())
    for tensor in model.subgraphs[0].tensors:
        tensor.shapeSignature = np.array([1, -1, -1, 3], np.int32)
    b = flatbuffers.Builder(1024)
    b.Finish(model.Pack(b), b"TFL3")
    path.write_bytes(bytes(b.Output()))
    return path


def test_a_dynamic_shape_is_refused(tmp_path) -> None:
    folder = tiny.colours(tmp_path / "b")
    path = signed(any_size(), folder / "echo.tflite")
    assert describe(path).spec.inputs[0].shape == (1, 1, 1, 3)
    with pytest.raises(BundleError, match="expected an input of a fixed height and width"):
        open_predictor(open_bundle(tiny.seal(folder)), ModelOptions(bundle="b"))
