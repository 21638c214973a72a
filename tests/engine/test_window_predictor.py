"""A bundle that takes readings at work, and the rule behind it."""

from __future__ import annotations

import numpy as np
import pytest

from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import open_predictor
from edgeinfer.engine.window_predictor import WindowPredictor, open_window_predictor
from edgeinfer.errors import BundleError
from edgeinfer.events import Instant, Readings, Score, Value
from edgeinfer.ports import ReadingsPredictor, RulePlace
from edgeinfer.rules.threshold import Threshold
from edgeinfer.store import open_bundle
from tests.engine import windowed

WINDOW = 'length = 4\nchannels = ["x"]\nrate_hz = 10'
OPTIONS = ModelOptions(bundle="b")


def opened(folder) -> WindowPredictor:
    return open_window_predictor(open_bundle(folder), OPTIONS)


def block(values, source="motor", n=0) -> Readings:
    at = Instant("b", n * 10**9, n * 10**9)
    return Readings((source, n), at, ("x",), np.array(values, float)[:, None], 100_000_000)


def refusal(folder) -> str:
    with pytest.raises(BundleError) as caught:
        opened(folder)
    return str(caught.value)


def test_each_full_window_becomes_an_inference_with_its_own_moment(tmp_path) -> None:
    predictor = opened(windowed.bundle(tmp_path / "b", WINDOW))
    first, second = predictor.read(block([1, 1, 1, 1, -1, -1, -1, -1, 5]))
    predictor.close()
    assert first.findings == (Value("anomaly", 0.0, "threshold"),)
    assert second.findings == (Value("anomaly", 2.0, "threshold"),)
    assert [first.at.mono_ns, second.at.mono_ns] == [300_000_000, 700_000_000]
    assert set(first.timings) == {"prepare", "invoke", "decode"}
    assert first.model == open_bundle(tmp_path / "b").identity


def test_it_is_what_a_pipeline_takes_for_readings(tmp_path) -> None:
    predictor = opened(windowed.bundle(tmp_path / "b", WINDOW))
    predictor.close()
    assert isinstance(predictor, ReadingsPredictor)


def test_windows_of_two_sources_do_not_mix(tmp_path) -> None:
    predictor = opened(windowed.bundle(tmp_path / "b", WINDOW))
    assert predictor.read(block([1, 1], "a")) == predictor.read(block([1, 1], "b")) == []
    assert len(predictor.read(block([1, 1], "a", 1))) == 1
    predictor.close()


@pytest.mark.parametrize("scale", ["scale = { mean = [3.0], std = [2.0] }", 'scale = "scale.npy"'])
def test_the_manifests_scale_is_applied(tmp_path, scale) -> None:
    (tmp_path / "b").mkdir()
    np.save(tmp_path / "b/scale.npy", np.array([[3.0], [2.0]]))
    predictor = opened(windowed.bundle(tmp_path / "b", f"{WINDOW}\n{scale}"))
    (seen,) = predictor.read(block([1, 1, 1, 1]))  # (1 - 3) / 2 = -1, error 1, threshold 0.5
    predictor.close()
    assert seen.findings == (Value("anomaly", 2.0, "threshold"),)


def test_a_classifier_works_on_windows(tmp_path) -> None:
    decoder = 'kind = "classify"\nactivation = "none"'
    predictor = opened(windowed.bundle(tmp_path / "b", WINDOW, decoder, "a\nb\nc\nd\n"))
    (seen,) = predictor.read(block([0, 0.9, 0, 0.1]))
    predictor.close()
    assert seen.findings[0] == Score("b", pytest.approx(0.9))


@pytest.mark.parametrize(
    ("window", "told"),
    [
        (WINDOW.replace("length = 4", "length = 5"), "window.length: 5 readings of 1 channel(s) make 5 numbers"),
        (f'{WINDOW}\nname = "inn"', "window.name: the model has no input 'inn'; did you mean 'in'?"),
        (f"{WINDOW}\nscale = {{ mean = [0, 0], std = [1, 1] }}", "window.scale: expected 1 or 4 numbers, found 2"),
        (WINDOW.replace('["x"]', '["x", "x"]'), "window.channels: a channel stands there twice"),
        (f'{WINDOW}\nfeatures = "bands"\nf_min = 6', "window.f_min: expected f_min < f_max <= 5"),
        (f"{WINDOW}\nhopp = 2", "window.hopp: unknown key; did you mean 'hop'?"),
    ],
)  # fmt: skip
def test_a_window_that_does_not_fit_is_refused_with_its_key(tmp_path, window, told) -> None:
    assert told in refusal(windowed.bundle(tmp_path / "b", window))


def test_a_model_of_readings_is_refused_where_pictures_are_wanted(tmp_path) -> None:
    with pytest.raises(BundleError, match="takes readings, not pictures"):
        open_predictor(open_bundle(windowed.bundle(tmp_path / "b", WINDOW)), OPTIONS)


def test_an_anomaly_goes_on_and_off_at_the_threshold_rule(tmp_path) -> None:
    predictor = opened(windowed.bundle(tmp_path / "b", WINDOW))
    rule = Threshold(Threshold.Options(value="anomaly", on_above=1.0), RulePlace("p", "bearing"))
    blocks = [block([v] * 4, n=n) for n, v in enumerate([1, 1, -1, -1, 1])]
    told = [d.state for b in blocks for seen in predictor.read(b) for d in rule.observe(seen)]
    predictor.close()
    assert told == ["off", "on", "off"]


def test_after_a_loss_a_window_begins_anew(tmp_path) -> None:
    predictor = opened(windowed.bundle(tmp_path / "b", WINDOW))
    assert predictor.read(block([1, 1, 1])) == []
    predictor.forget("motor")
    assert predictor.read(block([1], n=1)) == []
