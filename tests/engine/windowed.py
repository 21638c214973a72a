"""A tiny bundle that takes readings: it reproduces what is positive and knows nothing of what is not."""

from __future__ import annotations

from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

from tests.engine import tiny

INPUT = """[input]
fit = "stretch"
layout = "NHWC"
colour = "RGB"
mean = 0
std = 255
"""
OUTPUTS = """heat = "heat"
"""
ANOMALY = 'kind = "anomaly"\nthreshold = 0.5'
DECODER = tiny.MANIFEST[tiny.MANIFEST.index('kind = "grid"') :]


def positive(shape: tuple[int, ...] = (1, 4)) -> tiny.Graph:
    """float32: out = max(in, 0)."""
    tensors = [tiny.Tensor(name, list(shape), tiny.FLOAT, 0.0) for name in ("in", "out")]
    return tiny.Graph(tensors, [0], [1], [tiny.Op(schema.BuiltinOperator.RELU, [0], [1])])


def bundle(folder: Path, window: str, decoder: str = ANOMALY, labels: str = "anomaly\n") -> Path:
    """`window` and `decoder` are the lines of these tables."""
    folder.mkdir(parents=True, exist_ok=True)
    positive().save(folder / "echo.tflite")
    (folder / "labels.txt").write_text(labels)
    role = "scores" if "classify" in decoder else "reconstruction"
    return tiny.seal(
        folder,
        (INPUT, f"[window]\n{window}\n"),
        (OUTPUTS, f'{role} = "out"\n'),
        (DECODER, f'{decoder}\nlabels = "labels.txt"\n'),
    )
