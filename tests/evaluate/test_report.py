"""Runs judged: what a bundle really finds, by the data's task, and two runs against each other."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

import cv2
import numpy as np
import pytest

from edgeinfer.errors import InputError
from edgeinfer.evaluate.compare import agreement, compare
from edgeinfer.evaluate.data import read_data
from edgeinfer.evaluate.examples import Dataset, Example, TrueBox
from edgeinfer.evaluate.pictures import frame_of
from edgeinfer.evaluate.report import judge
from edgeinfer.evaluate.run import own_score, run, unthresholded, with_model
from edgeinfer.events import Frame, Instant
from edgeinfer.geometry import Box
from edgeinfer.store import find_bundle, open_bundle
from tests.engine import tiny, windowed
from tests.evaluate import floating
from tests.evaluate.test_data import WINDOW

GREEN = TrueBox("green", Box(0.25, 0.25, 0.5, 0.5))
BLUE = TrueBox("blue", Box(0.6, 0.6, 0.9, 0.9))


@pytest.fixture
def colours(tmp_path):
    return open_bundle(tiny.colours(tmp_path / "colours"))


def shown(*boxes: TrueBox) -> Dataset:
    frame = Frame(("p", 0), Instant("", 0, 0), tiny.picture())
    return Dataset("boxes", ("red", "green", "blue"), [Example("p", lambda: frame, boxes=boxes)])


def classes(folder, window: str = WINDOW):
    """float.tflite (tests/evaluate/floating.py) with a manifest around it."""
    decoder = 'kind = "classify"\nactivation = "none"'
    plain = open_bundle(windowed.bundle(folder / "classes", window, decoder, "first\nsecond\nrest\n"))
    return with_model(plain, floating.save(folder / "float.tflite"))


def labelled(folder, labels: list[str]) -> Dataset:
    path = floating.csv(folder / "r.csv", floating.rows(len(labels)), labels)
    return Dataset("classes", floating.LABELS, read_data(path, classes(folder)).examples)


def test_a_detector_gets_average_precision_and_its_own_thresholds_recall(colours) -> None:
    report = judge(colours, shown(GREEN, BLUE), run(colours, shown(GREEN, BLUE), "cpu"))
    assert report.headline == "map50"
    assert report.figures["map50"] == pytest.approx(0.5)  # green is found, blue is not there
    assert report.figures["recall"] == 0.5
    assert report.figures["precision"] == 1.0
    assert report.figures["score"] == 0.6
    assert report.classes["green"]["map50"] == pytest.approx(1.0)
    assert report.classes["blue"]["recall"] == 0.0
    assert report.size_bytes == colours.path("echo.tflite").stat().st_size


def test_a_classifier_gets_top1_and_a_confusion_matrix(tmp_path) -> None:
    labels = ["first", "second", "rest"] * 3 + ["second"]  # the tenth row is a `first`
    data = labelled(tmp_path, labels)
    report = judge(classes(tmp_path), data, run(classes(tmp_path), data, "cpu"))
    assert report.figures["top1"] == pytest.approx(0.9)
    assert report.confusion.rows == ((3, 0, 0), (1, 3, 0), (0, 0, 3))
    assert report.classes["second"]["recall"] == pytest.approx(0.75)


def anomalies(folder) -> tuple:
    """The model reproduces what is positive only: negative rows are unusual."""
    bundle = open_bundle(windowed.bundle(folder / "anomaly", WINDOW))
    values = np.vstack([floating.rows(6), -floating.rows(6)])
    path = floating.csv(folder / "a.csv", values, ["good"] * 6 + ["bad"] * 3 + ["worse"] * 3)
    return bundle, read_data(path, bundle)


def test_an_anomaly_model_gets_the_auc_of_each_fault(tmp_path) -> None:
    bundle, data = anomalies(tmp_path)
    report = judge(bundle, data, run(bundle, data, "cpu"))
    assert report.headline == "auc"
    assert report.figures == {"auc": 1.0, "good_samples": 6.0}
    assert set(report.classes) == {"bad", "worse"}


def test_what_is_good_can_be_named(tmp_path) -> None:
    bundle, data = anomalies(tmp_path)
    assert judge(bundle, data, run(bundle, data, "cpu"), good="bad").classes["good"]["auc"] == 0.0


def test_without_good_samples_there_is_no_auc(tmp_path) -> None:
    bundle, data = anomalies(tmp_path)
    with pytest.raises(InputError, match="AUC needs samples of the class 'sound' and of another"):
        judge(bundle, data, run(bundle, data, "cpu"), good="sound")


def test_readings_that_fill_no_window_are_refused(tmp_path) -> None:
    window = 'length = 4\nchannels = ["a"]\nrate_hz = 10'
    data = labelled(tmp_path, ["first", "second", "rest"])  # recordings of one row
    with pytest.raises(InputError, match="no stretch of readings fills a window of 4 rows"):
        run(classes(tmp_path, window), data, "cpu")


def test_equal_models_agree_and_lose_nothing(tmp_path) -> None:
    bundle, data = classes(tmp_path), labelled(tmp_path, ["first", "second", "rest"])
    runs = [run(bundle, data, "cpu") for _ in range(2)]
    found = compare(*(judge(bundle, data, each) for each in runs), agreement(bundle, *runs))
    assert (found.measure, found.loss, found.agreement) == ("top1", 0.0, {"same": 1.0})


def test_without_answers_the_loss_is_what_they_do_not_agree_on(tmp_path) -> None:
    bundle, other = classes(tmp_path), tmp_path / "other"
    other.mkdir()
    swapped = with_model(classes(other), other / "float.tflite")
    swapped = replace(swapped, labels=("second", "first", "rest"))
    data = labelled(tmp_path, ["first", "second", "rest"])
    plain = Dataset("unlabelled", (), data.examples)
    runs = [run(bundle, plain, "cpu"), run(swapped, plain, "cpu")]
    found = compare(judge(bundle, plain, runs[0]), judge(swapped, plain, runs[1]), agreement(bundle, *runs))
    assert found.measure == "1 - same"
    assert found.loss == pytest.approx(2 / 3)


def test_detectors_agree_by_the_boxes_of_the_first(colours) -> None:
    black = Example("dark", lambda: Frame(("d", 0), Instant("", 0, 0), np.zeros((64, 64, 3), np.uint8)))
    lit, dark = shown().examples[0], Example("p", black.load)
    a = run(colours, Dataset("unlabelled", (), [lit]), "cpu")
    b = run(colours, Dataset("unlabelled", (), [dark]), "cpu")
    assert agreement(colours, a, b) == {"f1": 0.0, "recall": 0.0, "precision": 1.0}


def test_models_with_other_windows_cannot_be_compared(tmp_path) -> None:
    data = labelled(tmp_path, ["first", "second", "rest"])
    a = run(classes(tmp_path), data, "cpu")
    b = run(classes(tmp_path), Dataset("classes", data.labels, data.examples[:2]), "cpu")
    with pytest.raises(InputError, match=r"different windows \(3 and 2\)"):
        agreement(classes(tmp_path), a, b)


def test_a_grid_keeps_its_threshold_and_an_ssd_gives_it_up(colours) -> None:
    assert unthresholded(colours) is colours
    person = open_bundle(find_bundle("person"))
    assert own_score(unthresholded(person)) == 0.01
    assert own_score(person) == 0.5


def test_the_person_detector_finds_what_its_golden_pictures_show() -> None:
    bundle = open_bundle(find_bundle("person"))
    examples = [
        Example(
            golden.input,
            partial(frame_of, bundle.path(golden.input)),
            boxes=tuple(
                TrueBox(found["label"], Box(*found["box"]))
                for found in json.loads(bundle.path(golden.expect).read_text())
            ),
        )
        for golden in bundle.manifest.golden
    ]
    data = Dataset("boxes", bundle.labels, examples)
    seen = run(unthresholded(bundle), data, "cpu")
    figures = judge(bundle, data, seen).figures
    assert sum(len(example.boxes) for example in examples) > 0
    assert sum(len(answer.findings) for answer in seen.answers) > sum(len(e.boxes) for e in examples)
    assert figures["map50"] == pytest.approx(1.0)
    assert (figures["recall"], figures["precision"]) == (1.0, 1.0)


def test_a_picture_that_is_none_is_named(tmp_path, colours) -> None:
    (tmp_path / "d/green").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "d/green/1.png"), tiny.picture())
    (tmp_path / "d/green/2.png").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"2\.png: is no picture that OpenCV can read"):
        run(colours, read_data(tmp_path / "d", colours), "cpu")
