"""Measure a trained model and write its bundle: manifest, labels, golden pictures, card; no learning."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import NamedTuple

import cv2
from judge import BOX_SIZE, SCORE, Heat, Tally, agreement, decode, judge, latency_ms, runner
from scenes import HELD_OUT_SEED, PLAIN, UNSEEN, UNTOUCHED_SEED, WHOLE, Scene, fitted, scenes, varied

from edgeinfer.sources.belt import LABELS

MODEL = "parts_int8.tflite"


@dataclass(frozen=True)
class Figures:
    """What was measured; tallies are of the int8 model unless they say float."""

    float_held_out: Tally
    held_out: Tally
    held_out_area: Tally  # as held_out, but fitted with INTER_AREA
    untouched: Tally  # as held_out, but belts whose errors nobody looked at
    demo: Tally
    unseen: dict[str, Tally]
    agreement: float
    latency_ms: float


def held_out(pictures: int, seed: int = HELD_OUT_SEED) -> list[Scene]:
    belts = [varied(seed + k) for k in range(max(1, pictures // 6))]
    return [scene for settings in belts for scene in scenes(settings, 6)]


def plain(pictures: int) -> list[Scene]:
    """The demo's own light, but parts of every kind and other belts than the demo's."""
    belts = [replace(PLAIN, seed=HELD_OUT_SEED + 50_000 + k) for k in range(max(1, pictures // 20))]
    return [scene for settings in belts for scene in scenes(settings, 20)]


def unseen(pictures: int) -> Iterator[tuple[str, list[Scene]]]:
    for name, settings in UNSEEN.items():
        belts = [replace(settings, seed=HELD_OUT_SEED + 60_000 + k) for k in range(max(1, pictures // 20))]
        yield name, [scene for each in belts for scene in scenes(each, 20)]


def measure(floating: Heat, quantized: Heat, pictures: int) -> Figures:
    held = held_out(pictures)
    return Figures(
        float_held_out=judge(floating, held),
        held_out=judge(quantized, held),
        held_out_area=judge(quantized, held, cv2.INTER_AREA),
        untouched=judge(quantized, held_out(pictures, UNTOUCHED_SEED)),
        demo=judge(quantized, plain(pictures)),
        unseen={name: judge(quantized, some) for name, some in unseen(pictures // 3)},
        agreement=agreement(floating, quantized, held),
        latency_ms=latency_ms(quantized),
    )


def write(folder: Path, figures: Figures, command: str) -> None:
    """Write all but the model itself, which is there already."""
    (folder / "labels.txt").write_text("\n".join(LABELS) + "\n")
    model = (folder / MODEL).read_bytes()
    golden = _write_golden(folder / "golden", runner(model))
    files = [MODEL, "labels.txt", *golden]
    hashes = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    (folder / "manifest.toml").write_text(_manifest(hashes, figures, golden, model))
    (folder / "CARD.md").write_text(_card(figures, command, len(model)))


def _write_golden(folder: Path, heat: Heat) -> list[str]:
    """Small pictures with all three labels in them, each in other light, and what the model finds there."""
    folder.mkdir(exist_ok=True)
    small = replace(PLAIN, size_px=(320, 240), speed_px_s=53.0, noise=1.0)
    looks = [
        replace(small, seed=HELD_OUT_SEED + 70_000),
        replace(small, seed=HELD_OUT_SEED + 70_001, light=0.65, warmth=-0.5),
        replace(small, seed=HELD_OUT_SEED + 70_002, light=1.35, warmth=0.5, light_angle_deg=320.0),
        replace(small, seed=HELD_OUT_SEED + 70_003, overlap=0.25, parts_per_minute=50.0),
    ]
    names = []
    for number, look in enumerate(looks, start=1):
        scene = next(scene for scene in scenes(look, 500) if tells_all(scene))
        found = [asdict(one) for one in decode(heat(fitted(scene.picture)))]
        expect = [{k: rounded(one[k]) for k in ("label", "score", "box")} for one in found]
        cv2.imwrite(str(folder / f"{number}.png"), scene.picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        (folder / f"{number}.json").write_text(json.dumps(expect, indent=1) + "\n")
        names += [f"golden/{number}.png", f"golden/{number}.json"]
    return names


def tells_all(scene: Scene) -> bool:
    return {part.label for part in scene.parts if part.visible >= WHOLE} == set(LABELS)


def rounded(value: object) -> object:
    if isinstance(value, tuple):
        return [round(v, 4) for v in value]
    return round(value, 4) if isinstance(value, float) else value


def _manifest(hashes: dict[str, str], figures: Figures, golden: list[str], model: bytes) -> str:
    numbers: dict[str, float] = {"model_bytes": len(model)}
    for label, figure in figures.held_out.figures().items():
        numbers |= {f"{name}_{label}": figure[name] for name in ("precision", "recall", "f1", "parts")}
    numbers |= {f"demo_f1_{label}": figure["f1"] for label, figure in figures.demo.figures().items()}
    numbers |= {f"unseen_{name.replace(' ', '_')}_worst_f1": t.worst_f1 for name, t in figures.unseen.items()}
    numbers["untouched_worst_f1"] = figures.untouched.worst_f1
    numbers |= {"float_worst_f1": figures.float_held_out.worst_f1, "int8_worst_f1": figures.held_out.worst_f1}
    numbers |= {"float_int8_agreement": figures.agreement, "latency_ms_x86_one_thread": figures.latency_ms}
    about = About(
        "parts",
        "Finds the demo's flanges on the belt and tells good, scratched and hole_missing apart",
        "int8, fully visible parts, held-out belts in varied light.",
    )
    return written(about, hashes, numbers, golden, MODEL, output_name(model), SCORE)


class About(NamedTuple):
    """What a manifest says in words; `figures` is what its numbers are of."""

    name: str
    summary: str
    figures: str


def written(
    about: About,
    hashes: Mapping[str, str],
    numbers: Mapping[str, float],
    golden: Sequence[str],
    file: str,
    output: str,
    score: float,
) -> str:
    """The manifest of a grid detector of the belt; `golden` holds pictures and expectations in turn."""
    pairs = zip(golden[::2], golden[1::2], strict=True)
    return _MANIFEST.format(
        name=about.name,
        summary=about.summary,
        about=about.figures,
        hashes="\n".join(f'"{name}" = "{digest}"' for name, digest in hashes.items()),
        figures="\n".join(f"{name} = {round(value, 4)}" for name, value in numbers.items()),
        golden="\n\n".join(f'[[golden]]\ninput = "{png}"\nexpect = "{expect}"' for png, expect in pairs),
        box=list(BOX_SIZE),
        score=score,
        output=output,
        model=file,
    )


def output_name(model: bytes) -> str:
    from ai_edge_litert.interpreter import Interpreter

    return str(Interpreter(model_content=model).get_output_details()[0]["name"])


def rows(tally: Tally) -> str:
    lines = (
        f"| {label} | {f['precision']:.3f} | {f['recall']:.3f} | {f['f1']:.3f} | {f['parts']:.0f} |"
        for label, f in tally.figures().items()
    )
    return "| label | precision | recall | F1 | parts |\n|---|---|---|---|---|\n" + "\n".join(lines)


def _card(figures: Figures, command: str, size: int) -> str:
    unseen_rows = "\n".join(
        f"| {name} | " + " | ".join(f"{f['f1']:.3f}" for f in tally.figures().values()) + " |"
        for name, tally in figures.unseen.items()
    )
    offsets = sorted(figures.held_out.offsets_px)
    return _CARD.format(
        command=command,
        kilobytes=size / 1000,
        held_out=rows(figures.held_out),
        demo=rows(figures.demo),
        float_held_out=rows(figures.float_held_out),
        area=figures.held_out_area.worst_f1,
        untouched=figures.untouched.worst_f1,
        unseen=unseen_rows,
        agreement=figures.agreement,
        latency=figures.latency_ms,
        cut=", ".join(f"{n} {what}" for what, n in sorted(figures.held_out.cut.items())),
        offset=offsets[len(offsets) // 2] if offsets else float("nan"),
        offset95=offsets[len(offsets) * 95 // 100] if offsets else float("nan"),
    )


_MANIFEST = """\
format = 1
name = "{name}"
version = "1"
summary = "{summary}"
licence = "Apache-2.0"
provenance = "trained by models/{name}/train.py on pictures rendered by edgeinfer/sources/belt.py; no outside data"

[variants]
cpu = "{model}"

[files]
{hashes}

[input]
fit = "letterbox"
layout = "NHWC"
colour = "RGB"
mean = 0.0
std = 255.0

[outputs]
heat = "{output}"

[decoder]
kind = "grid"
activation = "softmax"
background = true
labels = "labels.txt"
score = {score}
cells = "centroid"
box_size = {box}

# Written by train.py. precision, recall, f1 and parts: {about}
[figures]
{figures}

{golden}
"""

_CARD = """\
# parts: good, scratched, hole_missing

Finds the round flanges of the demo's belt and says of each whether it is good, scratched or short of a hole.

- Input: 1 x 192 x 256 x 3 int8, RGB, `pixel / 255`; the picture should have the aspect 4:3.
- Output: logits on a grid of 24 x 32 cells of 8 px: background and the three labels, int8. Softmax is the decoder's.
- Plain 3 x 3 convolutions with ReLU6 ({kilobytes:.0f} kB), so that every operation is int8.
- Licence: Apache-2.0, weights and pictures alike.
- Made by `{command}` (versions in requirements.txt).

## Data

Pictures that `edgeinfer/sources/belt.py` renders, and nothing else: 1,000 belts of 12 pictures, with light, gradient,
angle and warmth of the light, blur, noise, speed, exposure, overlap and pose drawn from the ranges in `scenes.py`.
Half of the training pictures are mirrored, on each axis.
A part that the picture's edge cuts by more than about 7 % is taught as background: it cannot be judged yet, and the
model stays silent until it is whole. A part that lies under another may be called anything; it does not count below.

## Figures

All of fully visible parts (99 % of the disc), score 0.5, a finding counts if its centroid lies within 0.6 radius of a
part's centre. A second finding on the same part is a false one. Picture by picture: no rule has smoothed anything.

Int8, held-out belts with settings drawn from the ranges of training:

{held_out}

Int8, the demo's own light (default settings), held-out belts:

{demo}

Float, held-out belts:

{float_held_out}

Float and int8 say the same of {agreement:.4f} of the parts. With INTER_AREA instead of INTER_LINEAR in the fit, the
worst F1 of int8 on the held-out belts is {area:.3f}.

The errors of an earlier model on these held-out belts were looked at, and led to how `scenes.targets` treats parts
that overlap. On as many belts that nobody had looked at, the worst F1 of int8 is {untouched:.3f}.

Settings outside of the ranges of training, one at a time (F1, int8):

| setting | good | scratched | hole_missing |
|---|---|---|---|
{unseen}

Parts that the edge cuts by more than a tenth, held-out belts: {cut} (silent is what was taught).
Centroid to true centre: median {offset:.2f} px, 95 % below {offset95:.2f} px, in the 256 x 192 input.
One invoke with conversion of input and output: {latency:.2f} ms, one thread, on a shared x86-64 server core with
AVX-VNNI. It was not measured on a Raspberry Pi, a Jetson or a Coral, and not compiled for the Edge TPU.

## What is not known

- Renderer and model come from the same hands: these figures prove the line, not any inspection of real metal.
  On pictures of real parts the model was never tried, and nobody should expect it to work there.
- One part, one size (22 % of the picture's height), one camera above the belt. Other sizes, tilted views and pictures
  that are not 4:3 (letterbox bars) were never trained or measured.
- Scratches shorter than 3/4 of a radius, dents, stains as a defect, two defects on one part: never seen.
- Under another part, what is called is anybody's guess: leave overlapping parts to a rule, or to a person.
- One seed was trained.
"""
