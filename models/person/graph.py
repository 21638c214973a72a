"""From the published TF1 graph to a .tflite: anchors, cut, conversion. TensorFlow is met here only, and late."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from detector import SIDE, Found, Picture, stretch
from numpy.typing import NDArray

INPUT, BOXES, LOGITS, ANCHORS = "Preprocessor/sub", "concat", "concat_1", "Postprocessor/Reshape"


def run_graph(graph: bytes, tensors: Sequence[str], picture: Picture) -> list[NDArray[np.float32]]:
    """What the whole frozen graph itself says of one picture of 300 x 300, by tensor name."""
    import tensorflow as tf

    feed = {"image_tensor:0": picture[None, :, :, ::-1]}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        tf.import_graph_def(_parsed(graph), name="")
        return session.run([f"{name}:0" for name in tensors], feed)


def anchors_of(graph: bytes) -> NDArray[np.float32]:
    """(1917, 4) float32: cy, cx, h, w. The graph holds corners (y0, x0, y1, x1) and works them out on each run."""
    [corners] = run_graph(graph, [ANCHORS], np.zeros((SIDE, SIDE, 3), np.uint8))
    low, high = corners[:, :2], corners[:, 2:]
    return np.hstack([(low + high) / 2, high - low]).astype(np.float32)


def graph_finds(graph: bytes, picture: Picture) -> Found:
    """The published graph's own detections in a picture of 300 x 300, in our order of columns."""
    boxes, scores = run_graph(graph, ["detection_boxes", "detection_scores"], picture)
    return np.column_stack([boxes[0][:, [1, 0, 3, 2]], scores[0]]).astype(np.float32)


def convert(graph: bytes, calibration: Sequence[Picture] | None = None) -> bytes:
    """The network between preprocessing and postprocessing as a .tflite: float, or int8 in and out if calibrated."""
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        cut = Path(folder) / "cut.pb"
        cut.write_bytes(_cut(graph))
        converter = tf.compat.v1.lite.TFLiteConverter.from_frozen_graph(
            str(cut), [INPUT], [BOXES, LOGITS], input_shapes={INPUT: [1, SIDE, SIDE, 3]}
        )
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([stretch(p)] for p in calibration)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
        model: bytes = converter.convert()
        return model


def _parsed(graph: bytes) -> Any:
    import tensorflow as tf

    return tf.compat.v1.GraphDef.FromString(graph)


def _cut(graph: bytes) -> bytes:
    import tensorflow as tf
    from tensorflow.python.tools.strip_unused_lib import strip_unused

    kept: bytes = strip_unused(
        _parsed(graph), [INPUT], [BOXES, LOGITS], tf.float32.as_datatype_enum
    ).SerializeToString()
    return kept
