"""A float model to int8, with samples from a CSV, a folder of pictures or a recording; and what cannot be quantized."""

from __future__ import annotations

import sys
from contextlib import closing

import cv2
import numpy as np
import pytest

from edgeinfer.engine.describe import describe
from edgeinfer.errors import BundleError, InputError
from edgeinfer.evaluate.calibration import calibration
from edgeinfer.evaluate.quantizing import float_input, quantize
from edgeinfer.events import Frame, Instant, Readings
from edgeinfer.recording import Writer
from edgeinfer.store import InputOptions, open_bundle
from edgeinfer.tensors import TensorSpec
from tests.engine import tiny, windowed
from tests.evaluate import floating

PLAIN = InputOptions(fit="stretch", std=255)
PICTURE = TensorSpec("picture", (1, 8, 8, 3), "float32", 0.0, 0, 0)
ROW = TensorSpec("in", (1, 4), "float32", 0.0, 0, 0)
AT = Instant("b", 0, 0)


def test_the_new_file_is_int8_at_both_ends_and_says_the_same(tmp_path) -> None:
    model, out = floating.save(tmp_path / "f.tflite"), tmp_path / "q.tflite"
    done = quantize(model, [row[None].astype(np.float32) for row in floating.rows(60)], out)
    spec = describe(out).spec
    assert (spec.inputs[0].dtype, spec.outputs[0].dtype) == ("int8", "int8")
    assert spec.inputs[0].quantized
    assert done.samples == 60
    assert done.after_bytes == out.stat().st_size


def test_a_model_without_a_signature_is_refused(tmp_path) -> None:
    model = floating.save(tmp_path / "f.tflite", signature=False)
    with pytest.raises(InputError, match="has no signature"):
        quantize(model, [np.zeros((1, 4), np.float32)] * 10, tmp_path / "q.tflite")
    assert not (tmp_path / "q.tflite").exists()


def test_what_is_quantized_already_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match=r"expected a float model, found the input 'logits' of int8"):
        float_input(tiny.softmax().save(tmp_path / "q.tflite"))


def test_a_damaged_file_is_refused(tmp_path) -> None:
    (tmp_path / "f.tflite").write_bytes(b"TFL3" * 20)
    with pytest.raises(BundleError, match="damaged"):
        float_input(tmp_path / "f.tflite")


def test_a_missing_extra_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_quantizer", None)
    with pytest.raises(InputError, match=r"pip install 'edgeinfer\[quantize\]'"):
        quantize(floating.save(tmp_path / "f.tflite"), [], tmp_path / "q.tflite")


def test_rows_of_a_csv_are_taken_as_they_are(tmp_path) -> None:
    path = floating.csv(tmp_path / "r.csv", floating.rows(12))
    inputs = calibration(path, ROW, None, PLAIN, 300)
    assert np.concatenate(inputs) == pytest.approx(floating.rows(12), abs=1e-6)


def test_readings_are_scaled_as_the_bundle_says(tmp_path) -> None:
    window = (
        'length = 1\nchannels = ["d", "c", "b", "a"]\nrate_hz = 10\nscale = { mean = [1.0], std = [2.0] }'
    )
    like = open_bundle(windowed.bundle(tmp_path / "like", window))
    inputs = calibration(floating.csv(tmp_path / "r.csv", floating.rows(12)), ROW, like, PLAIN, 300)
    assert np.concatenate(inputs) == pytest.approx((floating.rows(12)[:, ::-1] - 1) / 2, abs=1e-6)


def test_pictures_of_a_folder_are_fitted(tmp_path) -> None:
    (tmp_path / "d").mkdir()
    for n in range(10):
        cv2.imwrite(str(tmp_path / f"d/{n}.png"), np.full((20, 30, 3), (0, 0, 25 * n), np.uint8))
    inputs = calibration(tmp_path / "d", PICTURE, None, PLAIN, 300)
    assert [each[0, 0, 0, 0] for each in inputs] == pytest.approx([25 * n / 255 for n in range(10)])
    assert {each[0, 0, 0, 2] for each in inputs} == {0.0}


def test_a_recording_gives_its_frames(tmp_path) -> None:
    with closing(Writer(tmp_path / "r", "device", AT)) as writer:
        for n in range(11):
            writer.write(Frame(("belt", n), AT, np.full((8, 8, 3), n, np.uint8)))
    assert len(calibration(tmp_path / "r", PICTURE, None, PLAIN, 300)) == 11


def test_a_recording_gives_its_readings(tmp_path) -> None:
    with closing(Writer(tmp_path / "r", "device", AT)) as writer:
        writer.write(Readings(("m", 0), AT, ("a", "b", "c", "d"), floating.rows(15), 1000))
    assert len(calibration(tmp_path / "r", ROW, None, PLAIN, 300)) == 15


def test_a_recording_of_another_rate_is_refused(tmp_path) -> None:
    window = 'length = 1\nchannels = ["a", "b", "c", "d"]\nrate_hz = 10'
    like = open_bundle(windowed.bundle(tmp_path / "like", window))
    with closing(Writer(tmp_path / "r", "device", AT)) as writer:
        writer.write(Readings(("m", 0), AT, ("a", "b", "c", "d"), floating.rows(15), 1000))
    with pytest.raises(InputError, match="m: the model needs 10 readings a second, the source gives 1e\\+06"):
        calibration(tmp_path / "r", ROW, like, PLAIN, 300)


def test_arrays_of_a_folder_are_taken_as_they_are(tmp_path) -> None:
    (tmp_path / "d").mkdir()
    for n in range(2):
        np.save(tmp_path / f"d/{n}.npy", floating.rows(6, seed=n))
    inputs = calibration(tmp_path / "d", ROW, None, PLAIN, 300)
    assert np.concatenate(inputs) == pytest.approx(
        np.vstack([floating.rows(6, 0), floating.rows(6, 1)]), abs=1e-6
    )


def test_too_few_samples_are_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="holds 9 samples .* expected 10 at least"):
        calibration(floating.csv(tmp_path / "r.csv", floating.rows(9)), ROW, None, PLAIN, 300)


def test_many_samples_are_thinned_over_the_whole(tmp_path) -> None:
    values = np.repeat(np.arange(1000.0)[:, None], 4, axis=1)
    inputs = calibration(floating.csv(tmp_path / "r.csv", values), ROW, None, PLAIN, 30)
    firsts = [each[0, 0] for each in inputs]
    assert 15 <= len(firsts) <= 30
    assert firsts[-1] > 800
    assert len(set(np.diff(firsts))) == 1


def test_channels_that_do_not_fill_the_input_are_refused(tmp_path) -> None:
    three = TensorSpec("in", (1, 6), "float32", 0.0, 0, 0)
    with pytest.raises(InputError, match="4 channels do not fill"):
        calibration(floating.csv(tmp_path / "r.csv", floating.rows(12)), three, None, PLAIN, 300)


def test_readings_for_a_bundle_of_pictures_are_refused(tmp_path) -> None:
    like = open_bundle(tiny.colours(tmp_path / "colours"))
    with pytest.raises(InputError, match="holds readings, and colours@.* takes pictures"):
        calibration(floating.csv(tmp_path / "r.csv", floating.rows(12)), ROW, like, PLAIN, 300)
