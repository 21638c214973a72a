"""What our layer adds to one inference, in process and through the child, over the runtime's own set, invoke and get.

`python -m benchmarks.isolate [INFERENCES]` (default 2000 a round, 10 rounds that alternate). The model is one reshape
of 1x300x300x3 int8 with a 1x10x4 output: its own invoke costs next to nothing, so that what is added is seen, and the
input (270 kB) is that of an SSD. The child runs the very same session; its figure is what the parent waits for.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from benchmarks.pairs import interval
from edgeinfer.engine.cpu import Cpu
from edgeinfer.ports import ModelFile
from tests.engine import tiny

ROUNDS = 10
INPUT = np.zeros((1, 300, 300, 3), np.int8)


def model(path: Path) -> Path:
    """A strided slice of the picture: (1, 300, 300, 3) to (1, 10, 4, 3)."""
    begin, size = np.array([0, 0, 0, 0], np.int32), np.array([1, 10, 4, 3], np.int32)
    tensors = [
        tiny.Tensor("picture", [1, 300, 300, 3]),
        tiny.Tensor("begin", [4], schema.TensorType.INT32, 0.0, data=begin.tobytes()),
        tiny.Tensor("size", [4], schema.TensorType.INT32, 0.0, data=size.tobytes()),
        tiny.Tensor("boxes", [1, 10, 4, 3]),
    ]
    op = tiny.Op(
        schema.BuiltinOperator.SLICE,
        [0, 1, 2],
        [3],
        schema.BuiltinOptions.SliceOptions,
        schema.SliceOptionsT(),
        version=2,
    )
    return tiny.Graph(tensors, [0], [3], [op]).save(path)


def bare(path: Path) -> Callable[[], Any]:
    """Set, invoke and get, written by hand."""
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]

    def once() -> Any:
        interpreter.set_tensor(source, INPUT)
        interpreter.invoke()
        return interpreter.get_tensor(result)

    return once


def times_us(work: Callable[[], Any], n: int) -> np.ndarray:
    found = np.empty(n)
    for i in range(n):
        start = time.perf_counter_ns()
        work()
        found[i] = (time.perf_counter_ns() - start) / 1e3
    return found


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    with tempfile.TemporaryDirectory() as folder:
        path = model(Path(folder) / "m.tflite")
        here, there = (Cpu().open(ModelFile(str(path), "", 1, isolate)) for isolate in (False, True))
        ways = {
            "runtime alone": bare(path),
            "in process": lambda: here.infer({"picture": INPUT}),
            "child": lambda: there.infer({"picture": INPUT}),
        }
        for work in ways.values():
            times_us(work, 200)
        rounds = {name: [times_us(work, n) for _ in range(1)] for name, work in ways.items()}
        for _ in range(ROUNDS - 1):
            for name, work in ways.items():
                rounds[name].append(times_us(work, n))
        here.close()
        there.close()
    report(rounds)


def report(rounds: dict[str, list[np.ndarray]]) -> None:
    base = rounds["runtime alone"]
    for name, found in rounds.items():
        p50, p99 = (interval([float(np.percentile(r, p)) for r in found]) for p in (50, 99))
        print(f"{name:14} p50 {p50.median:7.1f} µs   p99 {p99.median:7.1f} µs")
    for name, p50_us, p99_us in (("in process", 20.0, None), ("child", 300.0, 1000.0)):
        for p, bound in ((50, p50_us), (99, p99_us)):
            if bound is None:
                continue
            added = interval(
                [
                    float(np.percentile(r, p) - np.percentile(b, p))
                    for r, b in zip(rounds[name], base, strict=True)
                ]
            )
            print(
                f"{name} adds at p{p} {added.median:7.1f} µs (95 %: {added.low:.1f} to {added.high:.1f}); "
                f"bound {bound:.0f}: {added.verdict(at_most=bound)}"
            )


if __name__ == "__main__":
    main()
