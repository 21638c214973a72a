"""Outputs that no YOLO exporter explains: recognised by their shapes, names, operators and TFLite metadata."""

from __future__ import annotations

import math

from edgeinfer.engine.guess_words import Case, Heads, Option, real_range, shown
from edgeinfer.tensors import TensorSpec, layout_of, size_of

POST_PROCESS = "TFLite_Detection_PostProcess"
_ROLES = ("boxes", "classes", "scores", "count")
_NOTED = {
    "location": "boxes",
    "locations": "boxes",
    "category": "classes",
    "categories": "classes",
    "score": "scores",
    "scores": "scores",
    "number of detections": "count",
}
"""How Model Maker and TFLite Support's metadata writer name the outputs of a detector."""


def guess_outputs(case: Case) -> Heads | None:
    """None where nothing is recognised."""
    for part in (_detector, _raw_detector, _keypoints, _mask, _autoencoder, _classifier):
        heads = part(case)
        if heads is not None:
            return heads
    return None


def _detector(case: Case) -> Heads | None:
    """Four outputs of a built-in post-process: SSD MobileNet, EfficientDet-Lite, TensorFlow's detection API."""
    outputs = case.spec.outputs
    if len(outputs) != 4:
        return None
    roles, reason = _noted_roles(case)
    if not roles:
        roles, reason = _ordered_roles(case)
    if not roles:
        return None
    names = {role: tensor.name for role, tensor in roles.items()}
    heads = Heads("ssd", names, fit="stretch", reasons=[reason])
    _threshold(case, heads, roles["scores"])
    return heads


def _noted_roles(case: Case) -> tuple[dict[str, TensorSpec], str]:
    notes = case.metadata.outputs
    found = {
        _NOTED[note.name.lower()]: tensor
        for note, tensor in zip(notes, case.spec.outputs, strict=False)
        if note.name.lower() in _NOTED
    }
    return (
        found if set(found) == set(_ROLES) else {}
    ), "TFLite metadata names the four outputs of a detector"


def _ordered_roles(case: Case) -> tuple[dict[str, TensorSpec], str]:
    outputs = case.spec.outputs
    boxes = next((i for i, t in enumerate(outputs) if len(t.shape) == 3 and t.shape[2] == 4), None)
    if POST_PROCESS in case.operators or all(t.name.startswith(POST_PROCESS) for t in outputs):
        order = ("scores", "boxes", "count", "classes") if boxes == 1 else _ROLES
        return dict(zip(order, outputs, strict=True)), f"four outputs and the operator {POST_PROCESS}"
    if boxes == 1 and _sizes(case)[2] == 1:  # as exporters of TensorFlow 2's detection API order them
        order = ("scores", "boxes", "count", "classes")
        return dict(zip(order, outputs, strict=True)), "four outputs in TensorFlow 2's order"
    if boxes == 0 and _sizes(case)[3] == 1:
        return dict(zip(_ROLES, outputs, strict=True)), "four outputs in the order of a detector"
    return {}, ""


def _sizes(case: Case) -> list[int]:
    return [math.prod(t.shape) for t in case.spec.outputs]


def _threshold(case: Case, heads: Heads, scores: TensorSpec) -> None:
    notes, index = case.metadata.outputs, case.spec.outputs.index(scores)
    if index < len(notes) and 0 < notes[index].least_score <= 1:
        heads.options["score"] = round(notes[index].least_score, 6)
        heads.reasons.append(f"TFLite metadata: score {heads.options['score']}")


def _raw_detector(case: Case) -> Heads | None:
    """Boxes and class scores of anchors that the file does not hold."""
    if len(case.spec.outputs) != 2:
        return None
    boxes = [t for t in case.spec.outputs if len(t.shape) >= 3 and t.shape[-1] == 4]
    scores = [t for t in case.spec.outputs if len(t.shape) == 3 and t not in boxes]
    if len(boxes) != 1 or len(scores) != 1 or boxes[0].shape[1] != scores[0].shape[1]:
        return None
    heads = Heads("ssd", {"boxes": boxes[0].name, "scores": scores[0].name}, fit="stretch")
    heads.reasons.append(
        f"{boxes[0].shape[1]} boxes of 4 with a row of scores each: SSD without its post-process"
    )
    heads.missing.append("decoder.anchors: an .npy of (n, 4), which the file does not hold")
    heads.classes = scores[0].shape[2] - 1
    heads.assumed.append("column 0 of the scores is the background")
    return heads


def _keypoints(case: Case) -> Heads | None:
    """MoveNet: 17 points of one person, or six people."""
    if len(case.spec.outputs) != 1:
        return None
    (output,) = case.spec.outputs
    if output.shape not in {(1, 1, 17, 3), (1, 6, 56)}:
        return None
    people = "one person" if len(output.shape) == 4 else "six people"
    reason = f"{shown(output)}: 17 points (y, x, score) of {people}, as MoveNet gives them"
    heads = Heads("keypoints", {"points": output.name}, classes=1, fit="letterbox", reasons=[reason])
    picture = case.picture
    if picture is not None and real_range(picture) is None:
        heads.assumed.append("MoveNet takes pixels 0..255 as they are: mean 0, std 1")
    return heads


def _mask(case: Case) -> Heads | None:
    """A class, or scores of all classes, for each pixel; a much coarser grid is cells with objects."""
    picture = case.picture
    if picture is None or len(case.spec.outputs) != 1:
        return None
    (output,) = case.spec.outputs
    rows, columns, channels = _grid_shape(output, case)
    if not channels:
        return None
    height, width = size_of(picture)
    if rows * 4 < height or columns * 4 < width:
        return _grid(case, output, channels)
    options: dict[str, Option] = {}
    background = channels > 1 and len(case.labels) != channels
    if channels > 1:
        options["background"] = background
    classes = None if len(output.shape) == 3 else channels - background
    reason = f"{shown(output)}: a class for each pixel of a grid as fine as the picture"
    return Heads("mask", {"mask": output.name}, options, classes, reasons=[reason])


def _grid_shape(output: TensorSpec, case: Case) -> tuple[int, int, int]:
    """(rows, columns, channels); channels is 0 for what is no grid, 1 for a map of class numbers."""
    if len(output.shape) == 3 and output.shape[0] == 1 and output.dtype in {"int32", "int64", "uint8"}:
        return output.shape[1], output.shape[2], 1
    if len(output.shape) != 4 or output.shape[0] != 1 or min(output.shape[1:3]) == 1:
        return 0, 0, 0
    picture = case.picture
    first = picture is not None and layout_of(picture) == "NCHW"
    return (*output.shape[2:4], output.shape[1]) if first else output.shape[1:4]


def _grid(case: Case, output: TensorSpec, channels: int) -> Heads:
    background = len(case.labels) != channels
    options: dict[str, Option] = {"background": background, "cells": "box"}
    reason = f"{shown(output)}: a coarse grid, with {channels} channels a cell"
    heads = Heads("grid", {"heat": output.name}, options, channels - int(background), reasons=[reason])
    options["activation"] = _activation(case, output, heads)
    return heads


def _autoencoder(case: Case) -> Heads | None:
    """As many numbers out as in, and no picture."""
    if case.picture is not None or len(case.spec.inputs) != 1 or len(case.spec.outputs) != 1:
        return None
    source, output = case.spec.inputs[0], case.spec.outputs[0]
    if math.prod(source.shape) != math.prod(output.shape) or math.prod(output.shape) < 2:
        return None
    reason = f"{shown(output)} has as many numbers as the input: an autoencoder"
    heads = Heads("anomaly", {"reconstruction": output.name}, classes=1, reasons=[reason])
    heads.missing.append("decoder.threshold: the error from which on it is unusual")
    return heads


def _classifier(case: Case) -> Heads | None:
    if len(case.spec.outputs) != 1:
        return None
    (output,) = case.spec.outputs
    if not output.shape or math.prod(output.shape[:-1]) != 1:
        return None
    count = output.shape[-1]
    heads = Heads("classify", {"scores": output.name}, classes=count)
    heads.reasons.append(f"{shown(output)}: one number for each class")
    if case.labels and len(case.labels) == count - 1:
        heads.options["background"], heads.classes = True, count - 1
        heads.assumed.append("there is one label less than classes: class 0 is the background")
    heads.options["activation"] = _activation(case, output, heads)
    if count > 1 and heads.options["activation"] == "none" and "SOFTMAX" not in case.operators:
        _many_labels(case, heads)
    _threshold(case, heads, output)
    return heads


def _many_labels(case: Case, heads: Heads) -> None:
    if "LOGISTIC" in case.operators:
        heads.options["multi_label"], heads.options["score"] = True, 0.5
        heads.assumed.append("the model has a sigmoid and no softmax: every class that reaches 0.5 is found")


def _activation(case: Case, output: TensorSpec, heads: Heads) -> str:
    """Probabilities need none; logits reach below 0 and above 1."""
    single, reach = output.shape[-1] == 1, real_range(output)
    if "SOFTMAX" in case.operators and not single:
        heads.reasons.append("the model has its own softmax")
        return "none"
    if reach is not None and reach[0] >= -0.01 and reach[1] <= 1.01:
        heads.reasons.append(f"its integers reach from {reach[0]:.3g} to {reach[1]:.3g}: probabilities")
        return "none"
    if "LOGISTIC" in case.operators and reach is None:
        heads.reasons.append("the model has its own sigmoid")
        return "none"
    wanted = "sigmoid" if single else "softmax"
    heads.assumed.append(f"the outputs are logits: {wanted} makes probabilities of them")
    return wanted
