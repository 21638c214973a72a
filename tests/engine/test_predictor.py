"""A bundle at work."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.engine.fit import Fit
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import BundlePredictor, open_predictor, to_picture
from edgeinfer.errors import BundleError, InputError
from edgeinfer.events import Detection, Frame, Instant, Keypoints, Region, Score
from edgeinfer.geometry import Affine, Box
from edgeinfer.store import InputOptions, find_bundle, open_bundle
from edgeinfer.tensors import ModelSpec, TensorSpec
from edgeinfer.testing.engine import FakeSession
from tests.engine import tiny

FRAME = Frame(("cam", 4711), Instant("b", 5, 6), tiny.picture())
OPTIONS = ModelOptions(bundle="colours")


def opened(folder, **options) -> BundlePredictor:
    return open_predictor(open_bundle(folder), ModelOptions(bundle="colours", **options))


def refusal(folder) -> str:
    with pytest.raises(BundleError) as caught:
        opened(folder)
    return str(caught.value)


@pytest.mark.parametrize("isolate", [False, True])
def test_a_picture_becomes_findings_in_its_own_coordinates(bundle_folder, isolate) -> None:
    predictor = opened(bundle_folder, isolate=isolate)
    seen = predictor.predict(FRAME)
    predictor.close()
    assert seen.findings == (Detection("green", 1.0, Box(0.25, 0.25, 0.5, 0.5)),)
    assert (seen.key, seen.at, seen.model) == (FRAME.key, FRAME.at, open_bundle(bundle_folder).identity)
    assert set(seen.timings) == {"prepare", "invoke", "decode"}
    assert all(isinstance(ns, int) and ns > 0 for ns in seen.timings.values())


@pytest.mark.parametrize("fit", ["letterbox", "crop"])
def test_the_fit_is_undone(tmp_path, fit) -> None:
    folder = tiny.colours(tmp_path / "b", ('fit = "stretch"', f'fit = "{fit}"'))
    pixels = np.zeros((64, 128, 3), np.uint8)
    pixels[32:48, 64:80] = (0, 255, 0)
    predictor = opened(folder)
    (found,) = predictor.predict(Frame(("cam", 0), FRAME.at, pixels)).findings
    predictor.close()
    assert found.box == pytest.approx((0.5, 0.5, 0.625, 0.75), abs=0.001 if fit == "crop" else 0.13)


def test_what_lies_outside_of_the_picture_is_cut_off_or_left_out() -> None:
    findings = [Detection("a", 0.9, Box(0.4, 0.0, 0.6, 0.5)), Detection("b", 0.9, Box(0.0, 0.0, 0.1, 0.1))]
    letterbox = Affine(1.0, 2.0, 0.0, -0.5)
    assert to_picture(findings, letterbox) == (Detection("a", 0.9, Box(0.4, 0.0, 0.6, 0.5)),)


def test_points_and_outlines_are_carried_back_too() -> None:
    back = Affine(2.0, 2.0, 0.0, 0.0)
    points, region, score = to_picture(
        [Keypoints("p", 0.9, ((0.1, 0.2, 0.5),)), Region("r", 0.9, ((0.1, 0.2),)), Score("s", 0.5)], back
    )
    assert points.points == ((0.2, 0.4, 0.5),)
    assert region.outline == ((0.2, 0.4),)
    assert score == Score("s", 0.5)


def test_inputs_besides_the_picture_stay_zero() -> None:
    picture = TensorSpec("picture", (1, 8, 8, 3), "uint8", 1 / 255, 0, 0)
    state = TensorSpec("state", (1, 2), "float32", 0.0, 0, 1)
    session = FakeSession(ModelSpec((picture, state), ()), {})

    class Nothing:
        def decode(self, outputs):
            return []

    fit = Fit(picture, InputOptions(fit="stretch", std=255.0))
    BundlePredictor("x@y", session, fit, Nothing(), "picture").predict(FRAME)
    assert session.seen[0]["state"].tolist() == [[0.0, 0.0]]
    assert session.seen[0]["picture"].max() == 255


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('heat = "heat"', 'heat = "heart"', r"manifest.toml:19 outputs.heat: the model has no output 'heart'; did you mean 'heat'?"),
        ('heat = "heat"', 'head = "heat"', "manifest.toml:19 outputs.head: there is no such role; did you mean 'heat'?"),
        ('fit = "stretch"', 'fit = "stretch"\nname = "image"', "manifest.toml:13 input.name: the model has no input 'image'"),
        ('layout = "NHWC"', 'layout = "NCHW"', "manifest.toml:13 input.layout: NCHW with colour RGB means"),
        ("score = 0.6", "score = 1.6", "manifest.toml:26 decoder.score: expected a number of at least 0 and at most 1"),
        ("score = 0.6", "scores = 0.6", "manifest.toml:26 decoder.scores: unknown key; did you mean 'score'?"),
        ("background = false", "background = true", "manifest.toml:25 decoder.labels: expected one label for each class"),
    ],
)  # fmt: skip
def test_a_bundle_that_does_not_fit_its_model_is_refused_with_line_and_key(tmp_path, old, new, told) -> None:
    assert told in refusal(tiny.colours(tmp_path / "b", (old, new)))


def test_too_few_labels_are_told_with_both_numbers(bundle_folder) -> None:
    (bundle_folder / "labels.txt").write_text("red\n")
    text = refusal(tiny.seal(bundle_folder))
    assert "has 3 classes, the labels file has 1 label" in text


def test_an_unknown_decoder_is_refused_with_the_nearest(tmp_path) -> None:
    with pytest.raises(InputError, match="no decoder of kind 'gird'; did you mean 'grid'"):
        opened(tiny.colours(tmp_path / "b", ('kind = "grid"', 'kind = "gird"')))


def test_an_unknown_backend_is_refused_even_where_another_would_open(bundle_folder) -> None:
    with pytest.raises(InputError, match="no backend of kind 'cpux'; did you mean 'cpu'"):
        opened(bundle_folder, backends=("cpu", "cpux"))


def test_a_damaged_model_is_refused_before_a_runtime_sees_it(bundle_folder) -> None:
    (bundle_folder / "echo.tflite").write_bytes(b"TFL3")
    assert "echo.tflite: is not the file that manifest.toml was written for" in refusal(bundle_folder)


def test_a_model_that_is_damaged_but_signed_for_is_a_bundle_error(bundle_folder) -> None:
    (bundle_folder / "echo.tflite").write_bytes(b"TFL3" * 100)
    assert "echo.tflite: is damaged or no TFLite model" in refusal(tiny.seal(bundle_folder))


@pytest.mark.parametrize("name", ["person", "parts"])
def test_the_bundles_that_we_ship_open(name) -> None:
    predictor = open_predictor(open_bundle(find_bundle(name)), ModelOptions(bundle=name))
    assert predictor.predict(Frame(("cam", 0), FRAME.at, np.zeros((480, 640, 3), np.uint8))).findings == ()
    predictor.close()
