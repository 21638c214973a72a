"""Measure a trained model of motion and write its bundle: scale, golden readings, manifest, card; no learning."""

import hashlib
import json
from pathlib import Path

import numpy as np
from judge import accuracy, confusion, interpreter, logits_of, recall_precision
from numpy.typing import NDArray
from recordings import HOP, LENGTH, RATE_HZ, TEST_PEOPLE, Recording, windows

MODEL = "motion_int8.tflite"
GOLDEN = (0, 6)
"""Kinds of which there is a golden input."""
LABELS = (Path(__file__).parent / "labels.txt").read_text()

Array = NDArray[np.float32]


def write(
    folder: Path,
    floating: bytes,
    quantized: bytes,
    scale: Array,
    learn: list[Recording],
    test: list[Recording],
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(quantized)
    (folder / "labels.txt").write_text(LABELS)
    np.save(folder / "scale.npy", scale)
    raw, kinds = windows(test)
    scaled = (raw - scale[0]) / scale[1]
    answers = [logits_of(model, scaled) for model in (floating, quantized)]
    real, small = (confusion(kinds, each) for each in answers)
    figures = {
        "model_bytes": float(len(quantized)),
        "test_windows": float(len(kinds)),
        "accuracy_float": accuracy(real),
        "accuracy_int8": accuracy(small),
        "agreement": float((answers[0].argmax(1) == answers[1].argmax(1)).mean()),
    }
    figures |= {
        f"recall_{n.replace(' ', '_')}": r for n, r in zip(_names(), recall_precision(small)[0], strict=True)
    }
    golden = _write_golden(folder, quantized, scale)
    _write_manifest(folder, quantized, figures, golden)
    _write_card(folder, figures, real, small, _by_person(quantized, scale, test), len(windows(learn, 32)[0]))


def _names() -> list[str]:
    return LABELS.split("\n")[:-1]


def _by_person(model: bytes, scale: Array, test: list[Recording]) -> dict[int, float]:
    found = {}
    for person in sorted(TEST_PEOPLE):
        raw, kinds = windows([each for each in test if each.person == person])
        found[person] = accuracy(confusion(kinds, logits_of(model, (raw - scale[0]) / scale[1])))
    return found


def _write_golden(folder: Path, model: bytes, scale: Array) -> list[str]:
    """Made-up strokes, one for each of `GOLDEN`, and what the model is sure of in them; nobody's recording."""
    (folder / "golden").mkdir(exist_ok=True)
    written = []
    for number, kind in enumerate(GOLDEN, start=1):
        rows, share = _sure_of(kind, model, scale)
        np.save(folder / f"golden/{number}.npy", rows)
        expect = [{"label": _names()[kind], "score": round(share, 4)}]
        (folder / f"golden/{number}.json").write_text(json.dumps(expect) + "\n")
        written += [f"golden/{number}.npy", f"golden/{number}.json"]
    return written


def _sure_of(kind: int, model: bytes, scale: Array) -> tuple[Array, float]:
    """The stroke, of 400, that looks most like `kind` to the model, and its probability."""
    strokes = np.stack([stroke(np.random.default_rng(seed)) for seed in range(400)])
    logits = logits_of(model, (strokes - scale[0]) / scale[1])
    shares = np.exp(logits - logits.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    best = int(shares[:, kind].argmax())
    return strokes[best], float(shares[best, kind])


def stroke(rng: np.random.Generator) -> Array:
    """(128, 6): an arm that swings about one axis, gravity in the watch's frame and the rate of turning."""
    t = np.arange(LENGTH)[:, None] / RATE_HZ
    down, axis = rng.normal(size=(2, 3))
    down, axis = down / np.linalg.norm(down), axis / np.linalg.norm(axis)
    swing, pace = rng.uniform(0.1, 1.2), 2 * np.pi * rng.uniform(0.2, 0.8)
    angle = swing * np.sin(pace * t + rng.uniform(0, 6))
    rate = swing * pace * np.cos(pace * t)
    tilted = down + np.sin(angle) * np.cross(axis, down)
    return np.hstack([tilted, rate * axis]).astype(np.float32)


def _write_manifest(folder: Path, model: bytes, figures: dict[str, float], golden: list[str]) -> None:
    names = (MODEL, "scale.npy", "labels.txt", *golden)
    sums = [f'"{n}" = "{hashlib.sha256((folder / n).read_bytes()).hexdigest()}"' for n in names]
    pairs = zip(golden[::2], golden[1::2], strict=True)
    text = _MANIFEST.format(
        model=MODEL,
        hashes="\n".join(sums),
        hop=HOP,
        output=interpreter(model).get_output_details()[0]["name"],
        figures="\n".join(f"{name} = {round(float(value), 4)}" for name, value in figures.items()),
        golden="\n\n".join(f'[[golden]]\ninput = "{rows}"\nexpect = "{told}"' for rows, told in pairs),
    )
    (folder / "manifest.toml").write_text(text)


def _write_card(
    folder: Path,
    figures: dict[str, float],
    real: NDArray[np.int64],
    small: NDArray[np.int64],
    people: dict[int, float],
    learnt: int,
) -> None:
    (before, _), (recall, precision) = recall_precision(real), recall_precision(small)
    each = zip(_names(), recall, precision, before, small.sum(1), strict=True)
    rows = [f"| {n} | {r:.3f} | {p:.3f} | {b:.3f} | {count} |" for n, r, p, b, count in each]
    table = [
        f"| {name} | " + " | ".join(map(str, row)) + " |"
        for name, row in zip(_names(), small.tolist(), strict=True)
    ]
    text = _CARD.format(
        **figures,
        kilobytes=len((folder / MODEL).read_bytes()) / 1000,
        learnt=learnt,
        rows="\n".join(rows),
        head=" | ".join(_names()),
        rule="|---" * 8 + "|",
        table="\n".join(table),
        people=", ".join(f"{person}: {share:.3f}" for person, share in people.items()),
    )
    (folder / "CARD.md").write_text(text)


_MANIFEST = """\
format = 1
name = "motion"
version = "1"
summary = "Tells seven shoulder exercises apart from the accelerometer and gyroscope of a watch"
licence = "Apache-2.0"
provenance = "trained by models/motion/train.py on the recordings in PyPI seglearn 1.2.5 (BSD-3-Clause, D. Burns; arXiv 1802.01489)"

[variants]
cpu = "{model}"

[files]
{hashes}

[window]
length = 128
hop = {hop}
channels = ["ax", "ay", "az", "wx", "wy", "wz"]
rate_hz = 50.0
features = "raw"
scale = "scale.npy"

[outputs]
scores = "{output}"

[decoder]
kind = "classify"
labels = "labels.txt"
activation = "softmax"
top_k = 1

# Written by train.py; windows of three people that training never saw.
[figures]
{figures}

{golden}
"""

_CARD = """\
# motion: which of seven exercises does an arm do?

Four strided convolutions over 2.56 s of six channels (`ax ay az` in g, `wx wy wz` in rad/s, 50 Hz) of a watch on the
wrist; int8, {kilobytes:.1f} kB. **Real data**: the recordings that the PyPI package seglearn 1.2.5 ships.

- Licence: Apache-2.0. Made by `PYTHONPATH=. python models/motion/train.py --seed 0`. The data is BSD-3-Clause
  (D. Burns; study: arXiv 1802.01489) and is not in this folder; the golden inputs are made up, a swinging arm.
- Training: people 1 to 7, {learnt} windows that overlap, turned and stretched a little. Test: people 8, 9 and 10, whom
  training never saw, {test_windows:.0f} windows a hop of 64 apart. The three were fixed before the first run. One seed.

## Float and int8

Accuracy: int8 {accuracy_int8:.4f}, float {accuracy_float:.4f}; both say the same of {agreement:.4f} of the windows.
Accuracy of int8 by person: {people}.

| class | recall, int8 | precision, int8 | recall, float | windows |
|---|---|---|---|---|
{rows}

Rows what is true, columns what the int8 model says:

| | {head} |
{rule}
{table}

## What is not known

**Three people are few**: between them the accuracy differs as the line above shows, and a fourth may lie outside. All
wore the same kind of watch; another sensor, wrist, mounting or range is not known. People of one study, both arms, no
other movements: **a walk or a rest is called one of the seven**, for there is no class for neither. Ask for a high
score (`presence` with `score` and `for_s`), and train on recordings of your own before you rely on it.

It is here to show a model of real sensor data through `[window]` and `classify`. It is no medical device.
"""
