"""What Ultralytics and YOLOv5 export, recognised by their notes or by the number of their anchors."""

from __future__ import annotations

from edgeinfer.engine.guess_words import Case, Heads, Option, real_range, refused, shown
from edgeinfer.errors import BundleError
from edgeinfer.store.export_notes import ExportNotes
from edgeinfer.tensors import TensorSpec, layout_of, size_of

STRIDES = (8, 16, 32)
"""Of the three feature maps that all YOLO from v5 to 26 predict from (models with p2 or p6 heads have others)."""

SCORE = 0.25
"""As Ultralytics' predict; written out, so that a manifest shows what to change first."""

_REFUSED = {
    "obb": "oriented boxes (Ultralytics task obb)",
    "depth": "depth estimation (Ultralytics task depth)",
}
_MOST_FINAL = 1000  # findings of an end-to-end head: 300, unless asked otherwise
_SHARES = 16  # a half-trained model says boxes of three times the input; no input has so few pixels
_COLLAPSED = 0.05  # a step of the scores above which a threshold means nothing


def guess_yolo(case: Case) -> Heads | None:
    """Raises BundleError for a task or head that is known and not done."""
    notes = case.metadata.export
    if notes is None:
        return _by_anchors(case)
    _refuse(notes)
    heads = {"classify": _classify, "semantic": _semantic}.get(notes.task, _noted)(case, notes)
    version = f", version {notes.version}" if notes.version else ""
    heads.reasons.insert(0, f"{notes.source}: exported by Ultralytics, task {notes.task}{version}")
    return heads


def _refuse(notes: ExportNotes) -> None:
    if notes.task in _REFUSED:
        raise refused(_REFUSED[notes.task], "export a model of task detect, pose, segment or classify")
    if notes.head == "RTDETRDecoder":
        raise refused("RT-DETR", "export a YOLO model")
    if notes.task not in {"detect", "pose", "segment", "classify", "semantic"}:
        raise refused(
            f"the Ultralytics task {notes.task!r}", "the tasks detect, pose, segment and classify are"
        )


def _classify(case: Case, notes: ExportNotes) -> Heads:
    output = case.spec.outputs[0]
    reason = "Ultralytics' classifiers end in their own softmax"
    return Heads(
        "classify", {"scores": output.name}, {"activation": "none"}, len(notes.names), "crop", [reason]
    )


def _semantic(case: Case, notes: ExportNotes) -> Heads:
    output = case.spec.outputs[0]
    return Heads("mask", {"mask": output.name}, {"background": False}, len(notes.names), "letterbox")


def _noted(case: Case, notes: ExportNotes) -> Heads:
    """detect, pose and segment: the notes say what stands in a row."""
    predictions = next((t for t in case.spec.outputs if len(t.shape) == 3), None)
    if predictions is None:
        outputs = ", ".join(shown(t) for t in case.spec.outputs)
        raise BundleError(
            f"{notes.source} says task {notes.task}, which has an output of three axes; there are: {outputs}"
        )
    extra = notes.keypoints[0] * notes.keypoints[1] if len(notes.keypoints) == 2 else 0
    final = notes.end2end or notes.nms or _is_final(case, predictions, extra)
    layout = "end2end" if final else _row_layout(predictions, len(notes.names), extra, notes)
    heads = _heads(case, predictions, layout, notes.task, len(notes.names))
    if notes.task == "pose":
        heads.options["keypoints"] = notes.keypoints or (17, 3)
    return heads


def _is_final(case: Case, predictions: TensorSpec, extra: int) -> bool:
    """Rows of 6 (and points), and fewer than a head has anchors: suppression was exported and the notes are silent."""
    rows, row = predictions.shape[1:]
    cells = _cells(case.picture) if case.picture is not None else rows
    return row == 6 + extra and rows <= _MOST_FINAL and rows % max(cells, 1) != 0


def _cells(picture: TensorSpec) -> int:
    """How many cells, and so anchors of one kind, a YOLO has at this input size."""
    height, width = size_of(picture)
    return sum((height // s) * (width // s) for s in STRIDES)


def _row_layout(predictions: TensorSpec, classes: int, extra: int, notes: ExportNotes) -> str:
    """YOLOv5's own repository has the objectness between box and classes; its notes never name a task."""
    sides = set(predictions.shape[1:])
    if notes.task == "segment" or 4 + classes + extra in sides:
        return "raw"
    if 5 + classes in sides:
        return "objectness"
    raise BundleError(
        f"{notes.source} tells of {classes} classes, so that a row has {4 + classes + extra} numbers; "
        f"the output {shown(predictions)} has none of that length"
    )


def _by_anchors(case: Case) -> Heads | None:
    """Without notes: as many rows as a YOLO has anchors at this input size."""
    picture = case.picture
    predictions = [t for t in case.spec.outputs if len(t.shape) == 3]
    if picture is None or len(predictions) != 1 or len(case.spec.outputs) > 2:
        return None
    (output,) = predictions
    height, width = size_of(picture)
    cells = _cells(picture)
    rows, row = max(output.shape[1:]), min(output.shape[1:])
    prototypes = len(case.spec.outputs) == 2
    task = "segment" if prototypes else "detect"
    if rows == cells and row > 4:
        heads = _heads(case, output, "raw", task, row - 4 - 32 * prototypes)
        heads.reasons.insert(0, f"{rows:,} rows are the anchors of a YOLOv8, 11 or 26 at {width}x{height}")
    elif rows == 3 * cells and row > 5 and not prototypes:
        heads = _heads(case, output, "objectness", task, row - 5)
        heads.reasons.insert(0, f"{rows:,} rows are the anchors of a YOLOv5 at {width}x{height}")
    elif output.shape[2] == 6 and output.shape[1] <= _MOST_FINAL and not prototypes:
        heads = _heads(case, output, "end2end", task, None)
        heads.reasons.insert(0, f"rows of 6 are final boxes: {output.shape[1]} of an end-to-end head")
    else:
        return None
    return heads


def _heads(case: Case, predictions: TensorSpec, layout: str, task: str, classes: int | None) -> Heads:
    outputs = {"predictions": predictions.name}
    others = [t for t in case.spec.outputs if t.name != predictions.name]
    if task == "segment" and len(others) == 1:
        outputs["prototypes"] = others[0].name
    units, why = _units(case, predictions, layout)
    options: dict[str, Option] = {"layout": layout, "task": task, "units": units, "score": SCORE}
    return Heads("yolo", outputs, options, classes, "letterbox", [why])


def _units(case: Case, predictions: TensorSpec, layout: str) -> tuple[str, str]:
    """Whether coordinates are shares of the input or its pixels.

    Exports for TFLite divide by the input's size, but for the end-to-end heads of litert-torch (which are NCHW).
    """
    reach = real_range(predictions)
    if reach is not None:
        if layout != "end2end" and predictions.scale > _COLLAPSED:
            raise BundleError(
                f"the output {shown(predictions)} holds pixels and scores with one scale of {predictions.scale:g}, "
                "so that all scores are 0 or 1: export it again with coordinates from 0 to 1 (Ultralytics does)"
            )
        units = "normalized" if reach[1] <= _SHARES else "pixels"
        return units, f"its integers reach to {reach[1]:.3g}, so coordinates are {units}"
    if layout == "end2end" and case.picture is not None and layout_of(case.picture) == "NCHW":
        return "pixels", "end-to-end heads of NCHW exports give pixels of the model's input"
    return "normalized", "TFLite exports give coordinates from 0 to 1"
