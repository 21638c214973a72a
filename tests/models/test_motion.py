"""The committed motion model: what its manifest and card promise, on recordings rebuilt from the package seglearn."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.engine.golden import verify
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.window_predictor import open_window_predictor
from edgeinfer.errors import InferenceLost
from edgeinfer.events import Instant, Readings
from edgeinfer.store import find_bundle, open_bundle

FOLDER = Path(__file__).parents[2] / "models" / "motion"
PERIOD_NS = 20_000_000


@pytest.fixture(scope="module")
def recordings():
    """The module of that name beside train.py, under a name that no other model's has."""
    spec = importlib.util.spec_from_file_location("motion_recordings", FOLDER / "recordings.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def bundle():
    return open_bundle(find_bundle("motion"))


@pytest.fixture(scope="module")
def predictor(bundle):
    opened = open_window_predictor(bundle, ModelOptions(bundle="motion"))
    yield opened
    opened.close()


def test_the_model_is_small_and_int8(bundle, predictor) -> None:
    assert bundle.path("motion_int8.tflite").stat().st_size <= 50_000
    assert predictor._tensor.dtype == "int8"
    assert predictor._tensor.shape == (1, 128, 6)


def test_its_golden_readings_are_found_here(bundle, predictor) -> None:
    results = list(verify(bundle, predictor))
    assert [result.expected for result in results] == [1, 1]
    assert all(result.passed for result in results)


def test_float_and_int8_judge_alike(bundle) -> None:
    figures = bundle.manifest.figures
    assert abs(figures["accuracy_float"] - figures["accuracy_int8"]) <= 0.01
    assert figures["agreement"] >= 0.98


def test_another_rate_is_refused(predictor) -> None:
    block = Readings(
        ("slow", 0), Instant("b", 0, 0), ("ax", "ay", "az", "wx", "wy", "wz"), np.zeros((128, 6)), 40_000_000
    )
    with pytest.raises(InferenceLost, match="needs 50 readings a second, the source gives 25"):
        predictor.read(block)


@pytest.mark.slow
def test_people_that_training_never_saw_are_judged_as_the_card_says(bundle, predictor, recordings) -> None:
    learn, test = recordings.split(recordings.fetch())
    assert {each.person for each in learn}.isdisjoint({each.person for each in test})
    assert {each.kind for each in test} == set(range(7))
    right, seen = np.zeros(7), np.zeros(7)
    for n, each in enumerate(test):
        block = Readings((f"person-{n}", 0), Instant("b", 0, 0), recordings.CHANNELS, each.rows, PERIOD_NS)
        for inference in predictor.read(block):
            seen[each.kind] += 1
            right[each.kind] += inference.findings[0].label == bundle.labels[each.kind]
    figures = bundle.manifest.figures
    assert seen.sum() == figures["test_windows"]
    assert right.sum() / seen.sum() == pytest.approx(figures["accuracy_int8"], abs=0.005)
    for label, recall in zip(bundle.labels, right / seen, strict=True):
        assert recall == pytest.approx(figures[f"recall_{label.replace(' ', '_')}"], abs=0.03)
