"""The committed parts model: what its manifest and card promise, checked with a decoder of this file's own."""

import hashlib
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from edgeinfer.sources.belt import LABELS, Belt, BeltSettings

try:
    import tomllib
except ModuleNotFoundError:  # Python 3.10
    import tomli as tomllib

FOLDER = Path(__file__).parents[2] / "models" / "parts"
MANIFEST = tomllib.loads((FOLDER / "manifest.toml").read_text())
PLAIN = BeltSettings(scratched=0.34, hole_missing=0.33)
SEED = 910_000  # training counts up from 1,000 and never comes here


@pytest.fixture(scope="module")
def interpreter():
    it = Interpreter(model_path=str(FOLDER / MANIFEST["variants"]["cpu"]), num_threads=1)
    it.allocate_tensors()
    return it


def found_in(interpreter, picture):
    """[(label, score, x, y)] normalised: neighbouring cells of one class, grown from the most certain one."""
    inward, outward = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    _, height, width, _ = inward["shape"]
    rgb = cv2.cvtColor(cv2.resize(picture, (int(width), int(height))), cv2.COLOR_BGR2RGB)
    scale, zero = inward["quantization"]
    interpreter.set_tensor(
        inward["index"], np.clip(np.round(rgb / 255 / scale) + zero, -128, 127).astype(np.int8)[None]
    )
    interpreter.invoke()
    scale, zero = outward["quantization"]
    odds = np.exp((interpreter.get_tensor(outward["index"])[0].astype(float) - zero) * scale)
    share = odds / odds.sum(-1, keepdims=True)
    rows, columns, _ = share.shape
    open_cells = {
        (r, c): int(share[r, c].argmax())
        for r in range(rows)
        for c in range(columns)
        if share[r, c].argmax() > 0 and share[r, c].max() >= 0.5
    }
    found = []
    while open_cells:
        start, kind = open_cells.popitem()
        group, edge = [start], [start]
        while edge:
            r, c = edge.pop()
            near = [(r + dr, c + dc) for dr in (-1, 0, 1) for dc in (-1, 0, 1)]
            for cell in near:
                if open_cells.get(cell) == kind:
                    del open_cells[cell]
                    group.append(cell)
                    edge.append(cell)
        p = np.array([share[cell][kind] for cell in group])
        y, x = (np.array(group) + 0.5).T
        found.append(
            (
                LABELS[kind - 1],
                float(p.max()),
                float(p @ x / p.sum() / columns),
                float(p @ y / p.sum() / rows),
            )
        )
    return sorted(found, key=lambda one: -one[1])


def f1(interpreter, settings, belts, pictures):
    """Worst F1 of the three labels over fully visible parts; also how many parts there were."""
    true, wrong, missed = Counter(), Counter(), Counter()
    for seed in range(SEED, SEED + belts):
        belt = Belt(replace(settings, seed=seed))
        for t_s in np.arange(pictures) * 4.9:
            parts = belt.truth(t_s)
            free = {part.number: part for part in parts if part.visible >= 0.99}
            for label, _, x, y in found_in(interpreter, belt.render(t_s)):
                off = {p.number: np.hypot((p.centre[0] - x) * 4 / 3, p.centre[1] - y) for p in parts}
                number = min(off, key=off.get, default=None)
                part = next((p for p in parts if p.number == number), None)
                if part is None or off[number] > 0.066:
                    wrong[label] += 1
                elif part.visible >= 0.99:
                    fits = free.pop(number, None) is not None and part.label == label
                    true[label] += fits
                    wrong[label] += not fits
                    missed[part.label] += not fits
            missed.update(part.label for part in free.values())
    scores = {k: 2 * true[k] / (2 * true[k] + wrong[k] + missed[k]) for k in LABELS}
    return min(scores.values()), sum(true.values()) + sum(missed.values())


def test_every_file_has_the_hash_of_the_manifest():
    for name, digest in MANIFEST["files"].items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_labels_are_the_labels_of_the_belt():
    assert tuple((FOLDER / "labels.txt").read_text().split()) == LABELS


def test_the_model_is_small_and_int8_from_end_to_end(interpreter):
    assert (FOLDER / "parts_int8.tflite").stat().st_size == MANIFEST["figures"]["model_bytes"] < 500_000
    assert interpreter.get_input_details()[0]["dtype"] == np.int8
    assert interpreter.get_output_details()[0]["dtype"] == np.int8
    # int32 are the biases; anything else would be computed in float, or not at all on an accelerator.
    assert {np.dtype(t["dtype"]).name for t in interpreter.get_tensor_details()} <= {"int8", "int32"}
    assert {op["op_name"] for op in interpreter._get_ops_details()} <= {"CONV_2D", "DELEGATE"}


def test_the_manifest_names_the_output_and_the_classes(interpreter):
    heat = interpreter.get_output_details()[0]
    assert MANIFEST["outputs"] == {"heat": heat["name"]}
    assert heat["shape"][-1] == 1 + len(LABELS)


def test_it_holds_its_figures_in_the_demo_s_light(interpreter):
    worst, parts = f1(interpreter, PLAIN, belts=4, pictures=25)
    assert parts > 200
    assert worst >= 0.98


def test_it_holds_its_figures_in_other_light(interpreter):
    dim = replace(
        PLAIN, light=0.7, light_gradient=0.4, light_angle_deg=40.0, noise=5.0, blur_px=0.9, overlap=0.2
    )
    worst, parts = f1(interpreter, dim, belts=3, pictures=25)
    assert parts > 120
    assert worst >= 0.95


@pytest.mark.parametrize("golden", MANIFEST["golden"], ids=lambda golden: golden["input"])
def test_golden_pictures_give_what_was_found_at_training(interpreter, golden):
    picture = cv2.imread(str(FOLDER / golden["input"]))
    assert (FOLDER / golden["input"]).stat().st_size < 150_000
    expected = json.loads((FOLDER / golden["expect"]).read_text())
    found = found_in(interpreter, picture)
    assert len(found) == len(expected)
    assert {one["label"] for one in expected} == set(LABELS)
    for one in expected:
        assert any(same(one, other) for other in found), one


def same(expected, found):
    """The same finding within what another CPU may change: 0.02 of score, a quarter of a cell."""
    label, score, x, y = found
    w, h = MANIFEST["decoder"]["box_size"]
    box = np.clip([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 0, 1)
    off_cells = np.abs(box - expected["box"]) * (32, 24, 32, 24)
    return label == expected["label"] and abs(score - expected["score"]) < 0.02 and off_cells.max() < 0.25
