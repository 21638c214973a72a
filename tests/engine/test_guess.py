"""Guessing how a model without a manifest is to be used."""

from __future__ import annotations

import pytest

from edgeinfer.engine.guess import guess
from edgeinfer.errors import BundleError
from edgeinfer.store.export_notes import ExportNotes
from edgeinfer.store.metadata import Metadata
from edgeinfer.store.tflite_notes import TensorNote
from edgeinfer.tensors import ModelSpec, TensorSpec

NONE = Metadata()
COCO = tuple(f"c{i}" for i in range(80))


def floats(name: str, *shape: int) -> TensorSpec:
    return TensorSpec(name, shape, "float32", 0.0, 0, 0)


def int8(name: str, *shape: int, scale: float = 1 / 255, zero_point: int = -128) -> TensorSpec:
    return TensorSpec(name, shape, "int8", scale, zero_point, 0)


def spec(source: TensorSpec, *outputs: TensorSpec) -> ModelSpec:
    return ModelSpec((source,), outputs)


def noted(task: str, **notes) -> Metadata:
    export = ExportNotes("metadata.json in the model", task=task, names=COCO, **notes)
    return Metadata(export=export, labels=COCO, labels_from=export.source)


NHWC, NCHW = int8("in", 1, 640, 640, 3), floats("in", 1, 3, 640, 640)


# --- Ultralytics, by its notes


def test_a_detector_of_today_is_float_nchw_and_normalized() -> None:
    found = guess(spec(NCHW, floats("out", 1, 84, 8400)), noted("detect", version="8.4.0"))
    assert (found.decoder, found.outputs) == ("yolo", {"predictions": "out"})
    assert found.options == {"layout": "raw", "task": "detect", "units": "normalized", "score": 0.25}
    assert found.input is not None
    assert (found.input.fit, found.input.layout, found.input.mean, found.input.std) == (
        "letterbox",
        "NCHW",
        0,
        255,
    )
    assert found.labels == COCO
    assert found.missing == ()
    assert "task detect, version 8.4.0" in found.reasons[0]


def test_a_full_integer_detector_is_nhwc() -> None:
    found = guess(spec(NHWC, int8("out", 1, 84, 8400, scale=1 / 250)), noted("detect"))
    assert found.options["units"] == "normalized"
    assert found.input is not None
    assert found.input.layout == "NHWC"


def test_integers_that_reach_a_few_times_the_input_are_still_shares_of_it() -> None:
    found = guess(spec(NHWC, int8("out", 1, 84, 8400, scale=3 / 255)), noted("detect"))
    assert found.options["units"] == "normalized"


def test_integers_of_an_end_to_end_head_that_reach_its_size_are_pixels() -> None:
    found = guess(spec(NHWC, int8("out", 1, 300, 6, scale=2.5)), noted("detect", end2end=True))
    assert found.options["units"] == "pixels"


def test_an_end_to_end_head_of_an_nchw_export_gives_pixels() -> None:
    found = guess(spec(NCHW, floats("out", 1, 300, 6)), noted("detect", end2end=True))
    assert found.options == {"layout": "end2end", "task": "detect", "units": "pixels", "score": 0.25}


def test_an_end_to_end_head_of_an_nhwc_export_is_normalized() -> None:
    found = guess(spec(NHWC, floats("out", 1, 300, 6)), noted("detect", end2end=True))
    assert found.options["units"] == "normalized"


def test_suppression_that_was_exported_is_no_raw_head() -> None:
    found = guess(spec(NCHW, floats("out", 1, 300, 6)), noted("detect", nms=True))
    assert found.options["layout"] == "end2end"


def test_suppression_that_the_notes_do_not_tell_of_is_seen_by_its_rows() -> None:
    notes = Metadata(export=ExportNotes("m", names=("a", "b")), labels=("a", "b"))
    assert guess(spec(NCHW, floats("out", 1, 300, 6)), notes).options["layout"] == "end2end"
    assert guess(spec(NCHW, floats("out", 1, 6, 8400)), notes).options["layout"] == "raw"
    assert guess(spec(NHWC, floats("out", 1, 8400, 6)), notes).options["layout"] == "raw"


def test_a_yolov5_has_objectness() -> None:
    found = guess(spec(NHWC, int8("out", 1, 25200, 85)), noted("detect"))
    assert found.options["layout"] == "objectness"


def test_pose_and_its_points_are_told() -> None:
    notes = Metadata(export=ExportNotes("m", "pose", names=("tiger",), keypoints=(12, 2)), labels=("tiger",))
    found = guess(spec(NCHW, floats("out", 1, 29, 8400)), notes)
    assert found.options["task"] == "pose"
    assert found.options["keypoints"] == (12, 2)


def test_prototypes_are_found_in_whatever_order() -> None:
    outputs = (floats("protos", 1, 32, 160, 160), floats("rows", 1, 116, 8400))
    found = guess(spec(NCHW, *outputs), noted("segment"))
    assert found.outputs == {"predictions": "rows", "prototypes": "protos"}


def test_an_ultralytics_classifier_is_cropped() -> None:
    found = guess(spec(floats("in", 1, 3, 224, 224), floats("out", 1, 80)), noted("classify"))
    assert (found.decoder, found.options) == ("classify", {"activation": "none"})
    assert found.input is not None
    assert found.input.fit == "crop"


@pytest.mark.parametrize(
    ("notes", "told"),
    [
        (noted("obb"), r"oriented boxes \(Ultralytics task obb\) is known, but edgeinfer does not decode it"),
        (noted("depth"), "depth estimation"),
        (noted("detect", head="RTDETRDecoder"), "RT-DETR is known"),
        (noted("hands"), "the Ultralytics task 'hands' is known"),
    ],
)
def test_what_is_not_done_is_refused_by_name(notes, told) -> None:
    with pytest.raises(BundleError, match=told):
        guess(spec(NCHW, floats("out", 1, 85, 8400)), notes)


def test_rows_that_do_not_fit_the_classes_are_refused() -> None:
    with pytest.raises(BundleError, match=r"tells of 80 classes, so that a row has 84 numbers; .*1x90x8400"):
        guess(spec(NCHW, floats("out", 1, 90, 8400)), noted("detect"))


def test_pixels_and_scores_with_one_scale_are_refused() -> None:
    with pytest.raises(BundleError, match="all scores are 0 or 1"):
        guess(spec(NHWC, int8("out", 1, 84, 8400, scale=2.5)), noted("detect"))


# --- YOLO without notes


@pytest.mark.parametrize(
    ("shape", "layout", "classes"),
    [
        ((84, 8400), "raw", 80),
        ((8400, 84), "raw", 80),
        ((25200, 85), "objectness", 80),
        ((300, 6), "end2end", None),
    ],
)
def test_anchors_tell_a_yolo_without_notes(shape, layout, classes) -> None:
    found = guess(spec(NHWC, floats("out", 1, *shape)), NONE)
    assert (found.options["layout"], found.classes) == (layout, classes)
    assert "labels" in found.missing[0]


# --- other detectors


def test_a_model_maker_detector_is_told_by_its_notes() -> None:
    names = ("number of detections", "location", "score", "category")
    metadata = Metadata(outputs=tuple(TensorNote(name) for name in names), labels=("a", "b"), labels_from="l")
    outputs = [floats(f"o{i}") for i in range(4)]
    found = guess(spec(int8("in", 1, 320, 320, 3), *outputs), metadata)
    assert found.decoder == "ssd"
    assert found.outputs == {"count": "o0", "boxes": "o1", "scores": "o2", "classes": "o3"}


def test_the_post_process_operator_is_enough() -> None:
    names = ["", ":1", ":2", ":3"]
    outputs = [floats(f"TFLite_Detection_PostProcess{n}") for n in names]
    found = guess(spec(NHWC, *outputs), NONE, COCO)
    assert [found.outputs[r] for r in ("boxes", "classes", "scores", "count")] == [t.name for t in outputs]


def test_an_efficientdet_lite_is_in_the_order_of_a_detector() -> None:
    shapes = [(1, 25, 4), (1, 25), (1, 25), (1,)]
    outputs = [floats(f"StatefulPartitionedCall:{31 + i}", *s) for i, s in enumerate(shapes)]
    found = guess(spec(TensorSpec("in", (1, 320, 320, 3), "uint8", 1 / 127.5, 127, 0), *outputs), NONE, COCO)
    assert found.outputs["boxes"].endswith(":31")
    assert found.outputs["count"].endswith(":34")


def test_the_order_of_tensorflow_2_is_known() -> None:
    shapes = [(1, 10), (1, 10, 4), (1,), (1, 10)]
    outputs = [floats(f"o{i}", *s) for i, s in enumerate(shapes)]
    found = guess(spec(NHWC, *outputs), NONE, COCO)
    assert found.outputs == {"scores": "o0", "boxes": "o1", "count": "o2", "classes": "o3"}


def test_an_ssd_without_its_post_process_lacks_its_anchors() -> None:
    found = guess(spec(NHWC, int8("b", 1, 1917, 1, 4), int8("s", 1, 1917, 2)), NONE, ("person",))
    assert (found.decoder, found.outputs) == ("ssd", {"boxes": "b", "scores": "s"})
    assert "decoder.anchors" in found.missing[0]


# --- classifiers and the rest


def test_a_softmax_in_the_model_needs_no_activation() -> None:
    found = guess(spec(NHWC, floats("out", 1, 4)), NONE, ("a", "b", "c", "d"), ["CONV_2D", "SOFTMAX"])
    assert found.options == {"activation": "none"}


def test_logits_are_assumed_to_want_a_softmax() -> None:
    found = guess(spec(NHWC, int8("out", 1, 4, scale=0.1, zero_point=3)), NONE, ("a", "b", "c", "d"))
    assert found.options == {"activation": "softmax"}
    assert any("logits" in text for text in found.assumed)


def test_a_single_sigmoid_is_binary() -> None:
    found = guess(spec(NHWC, int8("out", 1, 1, scale=1 / 256)), NONE, ("good", "bad"))
    assert found.options == {"activation": "none"}


def test_a_sigmoid_over_many_classes_is_multi_label() -> None:
    found = guess(spec(NHWC, floats("out", 1, 3)), NONE, ("a", "b", "c"), ["LOGISTIC"])
    assert found.options == {"activation": "none", "multi_label": True, "score": 0.5}


def test_one_label_less_than_classes_is_a_background() -> None:
    found = guess(spec(NHWC, floats("out", 1, 4)), NONE, ("a", "b", "c"), ["SOFTMAX"])
    assert found.options["background"] is True


def test_a_single_pose_is_told_by_its_shape() -> None:
    found = guess(
        spec(TensorSpec("in", (1, 192, 192, 3), "uint8", 0.0, 0, 0), floats("o", 1, 1, 17, 3)), NONE
    )
    assert (found.decoder, found.outputs) == ("keypoints", {"points": "o"})


def test_a_map_as_fine_as_the_picture_is_a_mask_and_a_coarse_one_a_grid() -> None:
    fine = guess(spec(NHWC, floats("o", 1, 320, 320, 3)), NONE, ("road", "wall"))
    coarse = guess(spec(NHWC, floats("o", 1, 20, 20, 3)), NONE, ("road", "wall"))
    assert (fine.decoder, fine.options) == ("mask", {"background": True})
    assert coarse.decoder == "grid"


def test_as_many_numbers_out_as_in_is_an_autoencoder() -> None:
    found = guess(spec(int8("in", 1, 128), int8("out", 1, 128)), NONE, ("anomaly",))
    assert (found.decoder, found.input) == ("anomaly", None)
    assert any("decoder.threshold" in text for text in found.missing)


def test_what_is_not_recognised_is_shown() -> None:
    with pytest.raises(BundleError, match=r"not recognised. They are:\n  'o' float32 1x7x3"):
        guess(spec(NHWC, floats("o", 1, 7, 3)), NONE)


# --- inputs


@pytest.mark.parametrize(
    ("scale", "zero_point", "mean", "std"),
    [(1 / 255, -128, 0, 255), (1 / 127.5, 0, 127.5, 127.5), (1.0, -128, 0, 1)],
)
def test_the_integers_of_an_input_tell_what_it_was_trained_on(scale, zero_point, mean, std) -> None:
    source = int8("in", 1, 96, 96, 3, scale=scale, zero_point=zero_point)
    found = guess(spec(source, int8("o", 1, 2, scale=1 / 256)), NONE, ("a", "b"))
    assert found.input is not None
    assert (found.input.mean, found.input.std) == (mean, std)


def test_integers_of_another_range_are_mapped_and_said_to_be_assumed() -> None:
    source = int8("in", 1, 96, 96, 3, scale=3 / 255, zero_point=0)
    found = guess(spec(source, int8("o", 1, 2, scale=1 / 256)), NONE, ("a", "b"))
    assert found.input is not None
    low, high = (-128 * 3 / 255, 127 * 3 / 255)
    assert (0 - found.input.mean) / found.input.std == pytest.approx(low, abs=1e-3)
    assert (255 - found.input.mean) / found.input.std == pytest.approx(high, abs=1e-3)
    assert any("assumed" in text for text in found.assumed)


def test_tflite_metadata_tells_mean_and_std() -> None:
    metadata = Metadata(inputs=(TensorNote("image", mean=(127.0,), std=(128.0,)),))
    found = guess(spec(floats("in", 1, 96, 96, 1), floats("o", 1, 2)), metadata, ("a", "b"))
    assert found.input is not None
    assert (found.input.mean, found.input.std, found.input.colour) == (127, 128, "GRAY")


def test_an_input_without_a_fixed_size_is_refused() -> None:
    with pytest.raises(BundleError, match="no fixed height and width"):
        guess(spec(floats("in", 1, 1, 1, 3), floats("o", 1, 2)), NONE, ("a", "b"))


def test_inputs_besides_the_picture_are_told() -> None:
    model = ModelSpec((floats("h", 1, 8), NHWC), (int8("o", 1, 2, scale=1 / 256),))
    found = guess(model, NONE, ("a", "b"))
    assert found.input is not None
    assert found.input.name == "in"
    assert any("'h' float32 1x8" in text and "[state]" in text for text in found.assumed)
