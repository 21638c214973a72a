"""Accuracy, confusion and latency of a .tflite of motion on scaled windows; no learning."""

from time import perf_counter

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

KINDS = 7


def interpreter(model: bytes) -> Interpreter:
    made = Interpreter(model_content=model, num_threads=1)
    made.allocate_tensors()
    return made


def logits_of(model: bytes, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 7) real logits of windows (n, 128, 6)."""
    it = interpreter(model)
    inward, outward = it.get_input_details()[0], it.get_output_details()[0]
    found = []
    for row in scaled.astype(np.float32):
        given = row
        if inward["dtype"] == np.int8:
            scale, zero = inward["quantization"]
            given = np.clip(np.rint(row / scale) + zero, -128, 127).astype(np.int8)
        it.set_tensor(inward["index"], given[None])
        it.invoke()
        out = it.get_tensor(outward["index"])[0].astype(np.float32)
        if outward["dtype"] == np.int8:
            scale, zero = outward["quantization"]
            out = (out - zero) * scale
        found.append(out)
    return np.asarray(found, np.float32)


def confusion(kinds: NDArray[np.int64], logits: NDArray[np.float32]) -> NDArray[np.int64]:
    """(7, 7): rows what is true, columns what the model says."""
    table = np.zeros((KINDS, KINDS), np.int64)
    np.add.at(table, (kinds, logits.argmax(1)), 1)
    return table


def accuracy(table: NDArray[np.int64]) -> float:
    return float(table.trace() / table.sum())


def recall_precision(table: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each class."""
    right = table.diagonal()
    return right / np.maximum(table.sum(1), 1), right / np.maximum(table.sum(0), 1)


def latency_us(model: bytes, runs: int = 2000) -> float:
    """Median microseconds of one invoke on one thread, input set before."""
    it = interpreter(model)
    inward = it.get_input_details()[0]
    it.set_tensor(inward["index"], np.zeros(inward["shape"], inward["dtype"]))
    spent = []
    for _ in range(runs):
        start = perf_counter()
        it.invoke()
        spent.append(perf_counter() - start)
    return float(np.median(spent)) * 1e6
