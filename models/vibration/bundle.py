"""Measure a trained model and write its bundle: scale, labels, manifest, card; no learning."""

import hashlib
import json
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from judge import SEVERITIES, aucs, errors_of, sets
from signals import OPTIONS

from edgeinfer.engine.window import features
from edgeinfer.sources.bearing import FAULTS, Bearing, Machine

MODEL = "vibration_int8.tflite"


def write(folder: Path, floating: bytes, quantized: bytes, scale: np.ndarray, training: np.ndarray) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_bytes(quantized)
    np.save(folder / "scale.npy", scale)
    (folder / "labels.txt").write_text("anomaly\n")
    threshold = float(np.percentile(errors_of(quantized, training), 99))
    data = sets(20)
    real, _ = aucs(floating, scale, data)
    small, sound = aucs(quantized, scale, data)
    alarms = float((sound > threshold).mean())
    output = Interpreter(model_content=quantized).get_output_details()[0]["name"]
    golden = _write_golden(folder, quantized, scale, threshold)
    names = (MODEL, "scale.npy", "labels.txt", *golden)
    numbers = {"model_bytes": len(quantized), "false_alarms": alarms}
    numbers["auc_float"], numbers["auc_int8"] = np.mean(list(real.values())), np.mean(list(small.values()))
    numbers |= {f"auc_{name.replace('.', '_')}": value for name, value in small.items()}
    numbers["largest_auc_difference"] = max(abs(real[name] - small[name]) for name in real)
    (folder / "manifest.toml").write_text(
        _MANIFEST.format(
            hashes="\n".join(
                f'"{n}" = "{hashlib.sha256((folder / n).read_bytes()).hexdigest()}"' for n in names
            ),
            figures="\n".join(f"{name} = {round(float(value), 4)}" for name, value in numbers.items()),
            output=output,
            threshold=round(threshold, 5),
            model=MODEL,
            golden="\n\n".join(
                f'[[golden]]\ninput = "{npy}"\nexpect = "{told}"'
                for npy, told in zip(golden[::2], golden[1::2], strict=True)
            ),
        )
    )
    rows = "\n".join(
        f"| {fault} | "
        + " | ".join(f"{small[f'{fault}_{s}']:.3f} ({real[f'{fault}_{s}']:.3f})" for s in SEVERITIES)
        + " |"
        for fault in FAULTS
    )
    (folder / "CARD.md").write_text(
        _CARD.format(
            rows=rows,
            alarms=100 * alarms,
            kilobytes=len(quantized) / 1000,
            worst=numbers["largest_auc_difference"],
            int8=numbers["auc_int8"],
            real=numbers["auc_float"],
        )
    )


def _write_golden(folder: Path, model: bytes, scale: np.ndarray, threshold: float) -> list[str]:
    """One window of a sound machine, one of an outer race that is gone, and what the model says of them."""
    (folder / "golden").mkdir(exist_ok=True)
    names = []
    for number, (fault, severity) in enumerate((("none", 0.0), ("outer", 1.0)), start=1):
        bearing = Bearing(Machine(), OPTIONS.rate_hz, seed=number)
        bearing.fault, bearing.severity = fault, severity
        rows = bearing.block(OPTIONS.length)[:, None].astype(np.float32)
        numbers = (features(rows.astype(np.float64), OPTIONS) - scale[0]) / scale[1]
        value = errors_of(model, numbers[None])[0] / threshold
        np.save(folder / f"golden/{number}.npy", rows)
        expect = [{"label": "anomaly", "score": round(float(value), 4)}]
        (folder / f"golden/{number}.json").write_text(json.dumps(expect) + "\n")
        names += [f"golden/{number}.npy", f"golden/{number}.json"]
    return names


_MANIFEST = """\
format = 1
name = "vibration"
version = "1"
summary = "Tells whether a machine on a 6205 bearing vibrates otherwise than sound ones do"
licence = "Apache-2.0"
provenance = "trained by models/vibration/train.py on signals of edgeinfer/sources/bearing.py; no measured data"

[variants]
cpu = "{model}"

[files]
{hashes}

[window]
length = 2048
channels = ["vibration"]
rate_hz = 12800.0
features = "bands"
scale = "scale.npy"

[outputs]
reconstruction = "{output}"

[decoder]
kind = "anomaly"
labels = "labels.txt"
threshold = {threshold}

# Written by train.py; AUC of int8, machines that training never drew. false_alarms: share of sound windows.
[figures]
{figures}

{golden}
"""

_CARD = """\
# vibration: is it still the machine that it was?

An autoencoder (128-64-32-8-32-64-128, int8, {kilobytes:.1f} kB) of what sound machines sound like: 64 bands of the
power spectrum and 64 bins of the envelope's spectrum of 2048 samples at 12.8 kHz of one channel, `vibration`, in g.
It gives `anomaly`: the reconstruction error in units of the 99th percentile of the training's errors.

- Licence: Apache-2.0. Made by `PYTHONPATH=. python models/vibration/train.py --seed 0`.
- Training: 300 simulated sound machines, 24 windows each. Test: 16 machines that training never drew, 20 windows for
  each fault and severity. One seed. A first run with 24 machines gave 23 % false alarms on 8 other machines: more
  machines were drawn for training after that, and these 16 for the test are fresh.

## AUC, int8 (float in brackets)

| fault | severity 0.3 | severity 0.6 | severity 1.0 |
|---|---|---|---|
{rows}

Mean over all: int8 {int8:.4f}, float {real:.4f}; largest difference of one cell {worst:.4f}.
False alarms on sound windows of the test machines: {alarms:.2f} % of single windows (a rule's `for_s` smooths them).

## What is not known

**Simulator and faults come from the same hand.** No measured vibration was at hand, neither for training nor for test:
these figures prove the pipeline and the quantization, not that a real fault is found. Severity 1.0 is a strike of
1.2 to 2.0 g, a first harmonic five times as strong, or harmonics of looseness; it is no standard's scale. Retrain on
good readings of your own machine before you rely on it.

**Imbalance is hardly seen**, and light looseness poorly: machines of the training differ among each other by as much as
a light imbalance makes. A rule on the velocity of one machine, or a model trained on that one machine, sees it.
"""
