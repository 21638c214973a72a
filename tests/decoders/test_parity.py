"""What Ultralytics found in recorded outputs of its own exports; tests/parity tells how they were made."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeinfer.engine.fit import Fit
from edgeinfer.engine.guess import Guess
from edgeinfer.engine.predictor import to_picture
from edgeinfer.tensors import ModelSpec, size_of
from tests.parity.compare import Parity, compare, told_of
from tests.parity.run import build

GOLDEN = Path(__file__).parent / "golden"
MODELS = sorted(p.stem for p in GOLDEN.glob("*.npz"))


class Recorded(msgspec.Struct):
    guess: Guess
    spec: ModelSpec


def recorded(model: str) -> Recorded:
    return msgspec.json.decode(np.load(GOLDEN / f"{model}.npz")["guess"].tobytes(), type=Recorded)


def parity(model: str) -> Parity:
    made, kept = recorded(model), np.load(GOLDEN / f"{model}.npz")
    score, source = float(kept["score"]), made.spec.inputs[0]
    decoder, fit, total = build(made.guess, made.spec, score), Fit(source, made.guess.input), Parity()
    for i in range(sum(key.endswith("/size") for key in kept)):
        _, back = fit(np.zeros((*kept[f"{i}/size"], 3), np.uint8))
        findings = to_picture(decoder.decode(told_of(kept, f"{i}/outputs")), back)
        told = told_of(kept, f"{i}/told")
        total = total.worse(compare(findings, told, made.guess.labels, back, size_of(source), score))
    return total


@pytest.mark.parametrize("model", MODELS)
def test_edgeinfer_finds_what_ultralytics_finds(model) -> None:
    found = parity(model)
    assert found.pictures >= 4
    assert found.findings > 0
    assert found.verdict() == []


def test_every_task_and_layout_was_recorded() -> None:
    guesses = [recorded(m).guess for m in MODELS]
    told = {(g.decoder, g.options.get("layout"), g.options.get("task")) for g in guesses}
    assert told >= {("yolo", "raw", task) for task in ("detect", "pose", "segment")}
    assert told >= {("yolo", "end2end", "detect"), ("classify", None, None)}
    outputs = {t.dtype for m in MODELS for t in recorded(m).spec.outputs}
    assert outputs == {"float32", "int8"}
