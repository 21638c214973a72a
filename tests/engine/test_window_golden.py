"""Golden readings: an .npy in, the findings of all its windows against what the maker found."""

from __future__ import annotations

import json

import numpy as np
import pytest

from edgeinfer.engine.golden import verify
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.window_collect import Collector
from edgeinfer.engine.window_predictor import WindowPredictor, open_either
from edgeinfer.errors import BundleError
from edgeinfer.events import Instant, Readings
from edgeinfer.store import WindowOptions, open_bundle
from tests.engine import tiny, windowed

WINDOW = 'length = 4\nchannels = ["x"]\nrate_hz = 10'


def verified(folder, rows: np.ndarray, score: float):
    windowed.bundle(folder, WINDOW)
    np.save(folder / "golden.npy", rows)
    (folder / "golden.json").write_text(json.dumps([{"label": "anomaly", "score": score}]))
    text = (folder / "manifest.toml").read_text().split("\n[files]")[0]
    text += '\n[[golden]]\ninput = "golden.npy"\nexpect = "golden.json"\n'
    (folder / "manifest.toml").write_text(text)
    bundle = open_bundle(sealed(folder, text))
    predictor = open_either(bundle, ModelOptions(bundle="b"))
    assert isinstance(predictor, WindowPredictor)
    return next(verify(bundle, predictor))


def sealed(folder, text: str):
    names = [p for p in sorted(folder.iterdir()) if p.name != "manifest.toml"]
    sums = "".join(f'"{p.name}" = "{tiny.sha256(p.read_bytes()).hexdigest()}"\n' for p in names)
    (folder / "manifest.toml").write_text(f"{text}\n[files]\n{sums}")
    return folder


def test_readings_that_give_what_was_expected_pass(tmp_path) -> None:
    assert verified(tmp_path / "b", np.full((4, 1), -1.0), 2.0).passed


def test_readings_that_give_another_value_are_told(tmp_path) -> None:
    result = verified(tmp_path / "b", np.full((4, 1), -1.0), 3.0)
    assert result.wrong == ("anomaly 3.000 was expected, its score is 2.000",)


def test_readings_of_another_number_of_channels_are_refused(tmp_path) -> None:
    with pytest.raises(BundleError, match=r"golden.npy: expected readings, \(n, 1\)"):
        verified(tmp_path / "b", np.ones((4, 2)), 1.0)


def test_a_window_never_spans_two_boots() -> None:
    collector = Collector(WindowOptions(length=4, channels=("x",), rate_hz=10))

    def windows(boot: str) -> int:
        return len(list(collector.add(Readings(("s", 0), Instant(boot, 0, 0), ("x",), np.ones((3, 1))))))

    assert [windows("a"), windows("b"), windows("b")] == [0, 0, 1]
