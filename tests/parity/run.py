"""Compares edgeinfer with Ultralytics on models and pictures that teach.py made.

    python -m tests.parity.run FOLDER [--golden DIR]

Each FOLDER/MODEL.tflite goes the whole way: metadata, guess, fit, runtime, decoder. Prints a line for each; exit 1
when one is out of tolerance. With --golden, the outputs of a few pictures and what Ultralytics found in them are
written to DIR/MODEL.npz, for tests that have no Ultralytics.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from edgeinfer import registry
from edgeinfer.engine.describe import describe
from edgeinfer.engine.fit import Fit
from edgeinfer.engine.guess import Guess, guess
from edgeinfer.engine.predictor import to_picture
from edgeinfer.engine.tflite import open_here
from edgeinfer.geometry import Affine
from edgeinfer.ports import Decoder, DecoderPlace, ModelFile
from edgeinfer.store.metadata import read_metadata
from edgeinfer.tensors import ModelSpec, TensorSpec, size_of
from tests.parity.compare import Parity, compare, told_of
from tests.parity.teach import IOU, MOST

GOLDEN_PICTURES = 4


def build(found: Guess, spec: ModelSpec, score: float) -> Decoder:
    """With the thresholds that Ultralytics ran with, and boxes as well as shapes."""
    plugin = registry.find("decoders", found.decoder)
    options = dict(found.options)
    if found.decoder == "yolo":
        options |= {"score": score, "iou": IOU, "max_findings": MOST, "give": "both"}
    return plugin(plugin.Options(**options), DecoderPlace(found.labels, spec, found.outputs))


def fitter(source: TensorSpec, found: Guess) -> Callable[[np.ndarray], tuple[np.ndarray, Affine]]:
    """Ours; for an int8 input in float and cut to integers, since Ultralytics does not round there, and we do."""
    if not source.quantized:
        return Fit(source, found.input)
    real = Fit(replace(source, dtype="float32", scale=0.0, zero_point=0), found.input)

    def cut(picture: np.ndarray) -> tuple[np.ndarray, Affine]:
        tensor, back = real(picture)
        return (tensor / source.scale + source.zero_point).clip(-128, 127).astype(source.dtype), back

    return cut


def run(model: Path, golden: Path | None) -> Parity:
    facts, metadata = describe(model), read_metadata(model)
    found = guess(facts.spec, metadata, (), facts.operators)
    session = open_here(ModelFile(str(model), ""))
    source = session.spec.inputs[0]
    told = np.load(model.with_suffix(".npz"))
    score = float(told["score"])
    fit, decoder = fitter(source, found), build(found, session.spec, score)
    total, kept = Parity(), {"score": told["score"]}
    for i, path in enumerate(sorted((model.parent / "pictures").glob("*.png"))):
        picture = cv2.imread(str(path))
        tensor, back = fit(picture)
        outputs = session.infer({source.name: tensor})
        one = told_of(told, str(i))
        findings = to_picture(decoder.decode(outputs), back)
        total = total.worse(compare(findings, one, found.labels, back, size_of(source), score))
        if i < GOLDEN_PICTURES:
            kept |= {f"{i}/told/{k}": v for k, v in one.items()}
            kept |= {f"{i}/outputs/{k}": v for k, v in outputs.items()} | {
                f"{i}/size": np.array(picture.shape[:2])
            }
    if golden is not None:
        golden.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(golden / f"{model.stem}.npz", **kept, guess=_as_text(found, session.spec))
    return total


def _as_text(found: Guess, spec: ModelSpec) -> np.ndarray:
    """The guess and the tensors as JSON, as an array that numpy keeps without pickle."""
    import msgspec

    return np.frombuffer(msgspec.json.encode({"guess": found, "spec": spec}), np.uint8)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--golden", type=Path)
    args = parser.parse_args()
    wrong = 0
    print(f"{'model':<16} pictures findings worst IoU  score   points  masks")
    for model in sorted(args.folder.glob("*.tflite")):
        if not model.with_suffix(".npz").is_file():
            continue
        p = run(model, args.golden)
        print(
            f"{model.stem:<16} {p.pictures:>8} {p.findings:>8} {p.iou:>9.4f} {p.score:>6.4f} {p.point:>8.4f} {p.mask:>6.4f}"
        )
        for text in p.verdict()[:10]:
            print(f"  {text}")
        wrong += bool(p.verdict())
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
