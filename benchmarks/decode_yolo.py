"""What decoding a YOLO costs: 8,400 rows of 84 int8 numbers against plain numpy; part of benchmarks/decode.py.

    python -m benchmarks.decode_yolo [--pairs N]

Bound: at most 2 ms on one core, however the export laid out its rows. Exit 1 when it is missed.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from benchmarks.pairs import alternate
from benchmarks.timing import overlap, timed
from edgeinfer.decoders.yolo import Yolo
from edgeinfer.ports import DecoderPlace
from edgeinfer.tensors import ModelSpec, TensorSpec, quantize

DECODE_US = 2000.0
ROWS, CLASSES = 8400, 80
SCORE, IOU = 0.25, 0.7


def scene(things: int = 25, seed: int = 3) -> np.ndarray:
    """(8400, 84) real: noise, and for each thing a dozen rows that see it."""
    rng = np.random.default_rng(seed)
    rows = np.empty((ROWS, 4 + CLASSES), np.float32)
    rows[:, :2], rows[:, 2:4] = rng.uniform(0, 1, (ROWS, 2)), rng.uniform(0.02, 0.3, (ROWS, 2))
    rows[:, 4:] = rng.beta(1, 40, (ROWS, CLASSES)) * 0.8
    for _ in range(things):
        at = rng.integers(0, ROWS, 12)
        centre, side, kind = rng.uniform(0.1, 0.9, 2), rng.uniform(0.05, 0.2, 2), rng.integers(0, CLASSES)
        rows[at, :2], rows[at, 2:4] = (
            centre + rng.normal(0, 0.003, (12, 2)),
            side * rng.uniform(0.95, 1.05, (12, 1)),
        )
        rows[at, 4 + kind] = rng.uniform(0.3, 0.95, 12)
    return rows


def straightforward(
    stored: np.ndarray, spec: TensorSpec, *, first: bool
) -> list[tuple[int, float, np.ndarray]]:
    """As everybody writes it: dequantize everything, decode everything, threshold, suppress in a loop."""
    real = (stored.astype(np.float32) - spec.zero_point) * spec.scale
    rows = real[0].T if first else real[0]
    classes, scores = rows[:, 4:].argmax(axis=1), rows[:, 4:].max(axis=1)
    corners = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], axis=1)
    keep = np.flatnonzero(scores >= SCORE)
    order, kept = keep[np.argsort(-scores[keep], kind="stable")], []
    for i in order:
        if all(classes[i] != classes[k] or overlap(corners[i], corners[k]) <= IOU for k in kept):
            kept.append(i)
    return [(int(classes[i]), float(scores[i]), corners[i]) for i in kept]


def report_yolo(pairs: int) -> bool:
    met = [_report(first, pairs) for first in (True, False)]
    return all(met)


def _report(first: bool, pairs: int) -> bool:
    shape = (1, 4 + CLASSES, ROWS) if first else (1, ROWS, 4 + CLASSES)
    spec = TensorSpec("rows", shape, "int8", 1 / 255, -128, 0)
    rows = scene()
    stored = quantize(np.ascontiguousarray((rows.T if first else rows)[None]), spec)
    labels = tuple(map(str, range(CLASSES)))
    decoder = Yolo(Yolo.Options(), DecoderPlace(labels, ModelSpec((), (spec,)), {"predictions": "rows"}))
    found, wanted = decoder.decode({"rows": stored}), straightforward(stored, spec, first=first)
    if [f.label for f in found] != [str(kind) for kind, _, _ in wanted]:
        raise SystemExit(
            f"ours finds {len(found)}, plain numpy {len(wanted)}: they must agree to be compared"
        )
    measured = alternate(
        timed(lambda: decoder.decode({"rows": stored}), 50),
        timed(lambda: straightforward(stored, spec, first=first), 10),
        pairs,
    )
    absolute = measured.first("us")
    print(f"YOLO decode of {'84 x 8,400' if first else '8,400 x 84'} int8, {len(found)} found")
    print(
        f"  ours             {absolute} us; bound {DECODE_US:.0f} us: {absolute.verdict(at_most=DECODE_US)}"
    )
    print(f"  ours / plain     {measured.ratio('us')}")
    return bool(absolute.meets(at_most=DECODE_US))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=20)
    return 0 if report_yolo(parser.parse_args().pairs) else 1


if __name__ == "__main__":
    sys.exit(main())
