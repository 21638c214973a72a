"""AUC and false alarms of a .tflite on windows of machines that training never drew; no learning."""

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from signals import TEST_MACHINES, windows_of

from edgeinfer.sources.bearing import FAULTS

SEVERITIES = (0.3, 0.6, 1.0)


def errors_of(model: bytes, scaled: np.ndarray) -> np.ndarray:
    """(n,) mean squared reconstruction error, as the decoder `anomaly` computes it."""
    it = Interpreter(model_content=model, num_threads=1)
    it.allocate_tensors()
    inward, outward = it.get_input_details()[0], it.get_output_details()[0]
    found = []
    for row in scaled.astype(np.float32):
        given = stored = row
        if inward["dtype"] == np.int8:
            scale, zero = inward["quantization"]
            stored = np.clip(np.rint(row / scale) + zero, -128, 127).astype(np.int8)
            given = (stored.astype(np.float32) - zero) * scale
        it.set_tensor(inward["index"], stored[None])
        it.invoke()
        out = it.get_tensor(outward["index"])[0]
        if outward["dtype"] == np.int8:
            scale, zero = outward["quantization"]
            out = (out.astype(np.float32) - zero) * scale
        found.append(float(np.mean((given - out) ** 2)))
    return np.array(found)


def auc(sound: np.ndarray, faulty: np.ndarray) -> float:
    """The chance that a faulty window has the larger error (Mann-Whitney; ties count half)."""
    more = (faulty[:, None] > sound[None]).mean()
    return float(more + (faulty[:, None] == sound[None]).mean() / 2)


def sets(each: int) -> dict[str, np.ndarray]:
    """Unscaled test windows: `none`, and `FAULT_SEVERITY`, of all test machines."""
    kinds = {"none": ("none", 0.0)} | {f"{f}_{s}": (f, s) for f in FAULTS for s in SEVERITIES}
    return {
        name: np.concatenate([windows_of(m, fault, severity, each) for m in TEST_MACHINES])
        for name, (fault, severity) in kinds.items()
    }


def aucs(model: bytes, scale: np.ndarray, data: dict[str, np.ndarray]) -> tuple[dict[str, float], np.ndarray]:
    """({kind: AUC}, errors of the sound windows)."""
    found = {name: errors_of(model, (rows - scale[0]) / scale[1]) for name, rows in data.items()}
    sound = found.pop("none")
    return {name: auc(sound, errors) for name, errors in found.items()}, sound
