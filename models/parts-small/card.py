"""Measure the small model of the belt and write its bundle: manifest, labels, golden pictures, card; no learning."""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import bundle
import cv2
import judge
from scenes import HELD_OUT_SEED, PLAIN, UNTOUCHED_SEED, fitted, scenes

from edgeinfer.sources.belt import LABELS

MODEL = "parts_small_int8.tflite"
INPUT_PX = (128, 96)  # width, height
SCORE = 0.1  # a gate lets pass what it doubts: its rules have thresholds of their own


@dataclass(frozen=True)
class Figures:
    """Of the int8 model at score 0.5, as those of `parts`."""

    held_out: judge.Tally
    untouched: judge.Tally
    demo: judge.Tally
    latency_ms: float


def measure(heat: judge.Heat, pictures: int) -> Figures:
    held, untouched = bundle.held_out(pictures), bundle.held_out(pictures, UNTOUCHED_SEED)
    return Figures(
        held_out=judge.judge(heat, held, size_px=INPUT_PX),
        untouched=judge.judge(heat, untouched, size_px=INPUT_PX),
        demo=judge.judge(heat, bundle.plain(pictures), size_px=INPUT_PX),
        latency_ms=judge.latency_ms(heat, size_px=INPUT_PX),
    )


def write(folder: Path, figures: Figures, command: str) -> None:
    """All but the model itself, which is there already."""
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    model = (folder / MODEL).read_bytes()
    golden = _write_golden(folder / "golden", judge.runner(model))
    hashes = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in [MODEL, "labels.txt", *golden]
    }
    (folder / "manifest.toml").write_text(_manifest(hashes, figures, golden, model))
    (folder / "CARD.md").write_text(_card(figures, command, len(model)))


def _write_golden(folder: Path, heat: judge.Heat) -> list[str]:
    """Two pictures as small as the input, with all three labels in them, and what the model finds there."""
    folder.mkdir(exist_ok=True)
    small = replace(PLAIN, size_px=(160, 120), speed_px_s=27.0, noise=1.0)
    looks = [
        replace(small, seed=HELD_OUT_SEED + 80_000),
        replace(small, seed=HELD_OUT_SEED + 80_001, light=0.7),
    ]
    names = []
    for number, look in enumerate(looks, start=1):
        picture = next(scene for scene in scenes(look, 500) if bundle.tells_all(scene)).picture
        found = [asdict(one) for one in judge.decode(heat(fitted(picture, size_px=INPUT_PX)), SCORE)]
        expect = [{k: bundle.rounded(one[k]) for k in ("label", "score", "box")} for one in found]
        cv2.imwrite(str(folder / f"{number}.png"), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        (folder / f"{number}.json").write_text(json.dumps(expect, indent=1) + "\n")
        names += [f"golden/{number}.png", f"golden/{number}.json"]
    return names


def _manifest(hashes: dict[str, str], figures: Figures, golden: list[str], model: bytes) -> str:
    numbers: dict[str, float] = {"model_bytes": len(model)}
    for label, figure in figures.held_out.figures().items():
        numbers |= {f"{name}_{label}": figure[name] for name in ("precision", "recall", "f1", "parts")}
    numbers |= {f"demo_f1_{label}": figure["f1"] for label, figure in figures.demo.figures().items()}
    numbers |= {
        "untouched_worst_f1": figures.untouched.worst_f1,
        "latency_ms_x86_one_thread": figures.latency_ms,
    }
    about = bundle.About(
        "parts-small",
        "A gate before `parts`: is there a part that may be scratched or short of a hole? Quick, and less sure",
        "int8, score 0.5, fully visible parts, held-out belts.",
    )
    return bundle.written(about, hashes, numbers, golden, MODEL, bundle.output_name(model), SCORE)


def _card(figures: Figures, command: str, size: int) -> str:
    return _CARD.format(
        command=command,
        kilobytes=size / 1000,
        held_out=bundle.rows(figures.held_out),
        demo=bundle.rows(figures.demo),
        untouched=figures.untouched.worst_f1,
        latency=figures.latency_ms,
        score=SCORE,
    )


_CARD = """\
# parts-small: the gate before `parts`

Says of the flanges on the demo's belt what [parts](../parts/CARD.md) says, on a quarter of its pixels and with less
certainty. It is meant as a gate: where it sees nothing that may be a defect, the larger model need not look
([cascades](../../docs/cascades.md)).

- Input: 1 x 96 x 128 x 3 int8, RGB, `pixel / 255`; the picture should have the aspect 4:3.
- Output: logits on a grid of 24 x 32 cells of 4 px: background, good, scratched, hole_missing. Softmax is the decoder's.
- Plain 3 x 3 convolutions with ReLU6 ({kilobytes:.0f} kB), so that every operation is int8.
- The manifest's score is {score}, not 0.5: a gate lets pass what it doubts. Rules have thresholds of their own.
- Licence: Apache-2.0, weights and pictures alike.
- Made by `{command}` (versions in ../parts/requirements.txt).

## Data

The same rendered belts as those of `parts`, from the same seeds, and nothing else.

## Figures

As those of `parts` are taken: fully visible parts, score 0.5, picture by picture.

Int8, held-out belts with settings drawn from the ranges of training:

{held_out}

Int8, the demo's own light, held-out belts:

{demo}

On as many belts that nobody had looked at, the worst F1 is {untouched:.3f}.
One invoke with conversion of input and output: {latency:.3f} ms, one thread, on a shared x86-64 server core with
AVX-VNNI; `python -m benchmarks.cascade` compares it with `parts` in one run.

## What is not known

All that the card of `parts` says holds here, too: renderer and models come from the same hands. A scratch is a third
of a pixel wide in this input: what this model misses, no cascade behind it finds again.
"""
