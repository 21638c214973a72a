"""TFLite_Detection_PostProcess in a real runtime; some runtimes tell its shapes only after the first call."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.decoders.ssd import Ssd
from edgeinfer.engine.cpu import Cpu
from edgeinfer.ports import DecoderPlace, ModelFile
from tests.engine import tiny

ANCHORS = np.array([[0.25, 0.25, 0.5, 0.5], [0.75, 0.75, 0.5, 0.5], [0.5, 0.5, 1.0, 1.0]], np.float32)
ROLES = {
    "boxes": "TFLite_Detection_PostProcess",
    "classes": "TFLite_Detection_PostProcess:1",
    "scores": "TFLite_Detection_PostProcess:2",
    "count": "TFLite_Detection_PostProcess:3",
}


@pytest.mark.parametrize("isolate", [False, True])
def test_its_outputs_become_detections(tmp_path, isolate) -> None:
    path = tiny.post_process(ANCHORS).save(tmp_path / "m.tflite")
    session = Cpu().open(ModelFile(str(path), "", 1, isolate))
    decoder = Ssd(Ssd.Options(score=0.5), DecoderPlace(("cat", "dog"), session.spec, ROLES))
    scores = np.array([[[0, 0.9, 0.1], [0, 0.2, 0.7], [0, 0.4, 0.4]]], np.float32)
    for _ in range(2):
        outputs = session.infer({"boxes": np.zeros((1, 3, 4), np.float32), "scores": scores})
        found = decoder.decode(outputs)
        assert [(d.label, pytest.approx(d.score)) for d in found] == [("cat", 0.9), ("dog", 0.7)]
        assert found[0].box == pytest.approx((0, 0, 0.5, 0.5))
    session.close()
