"""What our engine costs over the bare minimum: SSD and YOLO decode against plain numpy, a session against raw calls.

    python -m benchmarks.decode [--pairs N]

Bounds: decoding 1,917 anchors of an SSD in at most 0.3 ms when few survive, 8,400 x 84 int8 of a YOLO in at most
2 ms; at most 20 us a call over the runtime's own set_tensor, invoke and get_tensor. Exit 1 when a bound is missed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

from benchmarks.decode_yolo import report_yolo
from benchmarks.pairs import alternate
from benchmarks.timing import overlap, timed
from edgeinfer.engine.fit import Fit
from edgeinfer.engine.predictor import build_decoder
from edgeinfer.engine.tflite import open_here
from edgeinfer.ports import ModelFile
from edgeinfer.store import find_bundle, open_bundle
from tests.engine import tiny

DECODE_US = 300.0
CALL_US = 20.0


def straightforward(boxes, logits, anchors, specs):
    """As everybody writes it: dequantize everything, decode everything, threshold, suppress in a loop."""
    real = (logits.astype(np.float32) - specs[1].zero_point) * specs[1].scale
    scores = 1 / (1 + np.exp(-real[0, :, 1]))
    t = ((boxes.astype(np.float32) - specs[0].zero_point) * specs[0].scale).reshape(-1, 4) / [10, 10, 5, 5]
    centre = t[:, :2] * anchors[:, 2:] + anchors[:, :2]
    half = np.exp(t[:, 2:]) * anchors[:, 2:] / 2
    corners = np.hstack([centre - half, centre + half])
    keep = np.flatnonzero(scores >= 0.5)
    order, kept = keep[np.argsort(-scores[keep])], []
    for i in order:
        if all(overlap(corners[i], corners[k]) <= 0.5 for k in kept):
            kept.append(i)
    return corners[kept], scores[kept]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=20)
    pairs = parser.parse_args().pairs
    bundle = open_bundle(find_bundle("person"))
    model = bundle.model(["cpu"])
    session = open_here(ModelFile(model.path, model.sha256))
    picture = cv2.imread(str(bundle.path(bundle.manifest.golden[1].input)))
    source = session.spec.inputs[0]
    tensor, _ = Fit(source, bundle.manifest.input)(picture)
    outputs = session.infer({source.name: tensor})
    met = report_decode(bundle, session, outputs, pairs)
    met = report_yolo(pairs) and met
    return 0 if report_call(pairs) and met else 1


def report_decode(bundle, session, outputs, pairs: int) -> bool:
    roles = bundle.manifest.outputs
    boxes, logits = outputs[roles["boxes"]], outputs[roles["scores"]]
    specs = [session.spec.output(roles[name]) for name in ("boxes", "scores")]
    decoder = build_decoder(bundle, session.spec)
    ours = timed(lambda: decoder.decode(outputs), 200)
    plain = timed(lambda: straightforward(boxes, logits, bundle.arrays["anchors"], specs), 200)
    measured = alternate(ours, plain, pairs)
    absolute = measured.first("us")
    print(f"decode of {len(bundle.arrays['anchors']):,} anchors, {len(decoder.decode(outputs))} found")
    print(
        f"  ours             {absolute} us; bound {DECODE_US:.0f} us: {absolute.verdict(at_most=DECODE_US)}"
    )
    print(f"  ours / plain     {measured.ratio('us')}")
    return absolute.meets(at_most=DECODE_US)


def report_call(pairs: int) -> bool:
    """On a model that does next to nothing, so that what is left is what we add."""
    with tempfile.TemporaryDirectory() as folder:
        session = open_here(ModelFile(str(tiny.softmax().save(Path(folder) / "softmax.tflite")), ""))
    interpreter, indices = session._interpreter, [t.index for t in session.spec.outputs]  # noqa: SLF001  the runtime alone is what we compare with
    source = session.spec.inputs[0]
    tensor = np.zeros(source.shape, np.int8)

    def raw() -> list[object]:
        interpreter.set_tensor(source.index, tensor)
        interpreter.invoke()
        return [interpreter.get_tensor(i) for i in indices]

    def ours() -> object:
        return session.infer({source.name: tensor})

    added = alternate(timed(ours, 5000), timed(raw, 5000), pairs).difference("us")
    print(f"one inference by {session.runtime}")
    print(f"  ours - raw       {added} us; bound {CALL_US:.0f} us: {added.verdict(at_most=CALL_US)}")
    return added.meets(at_most=CALL_US)


if __name__ == "__main__":
    sys.exit(main())
