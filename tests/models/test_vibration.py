"""The committed vibration model: what its manifest and card promise, through the predictor that a pipeline uses."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.window_predictor import open_window_predictor
from edgeinfer.events import Instant, Readings
from edgeinfer.sources.bearing import Bearing, any_machine
from edgeinfer.store import find_bundle, open_bundle

PERIOD_NS, LENGTH = 78_125, 2048
MACHINES = range(700_000, 700_008)  # training counts up from 0, its test from 600,000


@pytest.fixture(scope="module")
def bundle():
    return open_bundle(find_bundle("vibration"))


@pytest.fixture(scope="module")
def predictor(bundle):
    opened = open_window_predictor(bundle, ModelOptions(bundle="vibration"))
    yield opened
    opened.close()


def anomalies(predictor, fault: str, severity: float, count: int = 10) -> np.ndarray:
    """(machines · count,) in units of the threshold, of machines that no training drew."""
    found = []
    for seed in MACHINES:
        bearing = Bearing(any_machine(np.random.default_rng(seed)), seed=seed)
        bearing.fault, bearing.severity = fault, severity
        bearing.block(LENGTH)
        for n in range(count):
            rows = bearing.block(LENGTH)[:, None]
            block = Readings(("m", n), Instant("b", 0, 0), ("vibration",), rows, PERIOD_NS, True)
            found += [f.value for seen in predictor.read(block) for f in seen.findings]
    return np.array(found)


def test_the_model_is_small_and_int8(bundle, predictor) -> None:
    assert bundle.path("vibration_int8.tflite").stat().st_size <= 50_000
    assert predictor._tensor.dtype == "int8"


def test_float_and_int8_judge_alike(bundle) -> None:
    figures = bundle.manifest.figures
    assert abs(figures["auc_float"] - figures["auc_int8"]) <= 0.01
    assert figures["largest_auc_difference"] <= 0.01


@pytest.mark.parametrize("fault", ["outer", "inner", "ball", "looseness"])
def test_grave_faults_of_unseen_machines_have_the_auc_of_the_card(bundle, predictor, fault) -> None:
    sound, faulty = anomalies(predictor, "none", 0.0), anomalies(predictor, fault, 1.0)
    auc = (faulty[:, None] > sound[None]).mean()
    assert auc >= bundle.manifest.figures[f"auc_{fault}_1_0"] - 0.03


def test_sound_machines_seldom_raise_an_alarm(bundle, predictor) -> None:
    alarms = (anomalies(predictor, "none", 0.0) > 1).mean()
    assert alarms <= bundle.manifest.figures["false_alarms"] + 0.06
