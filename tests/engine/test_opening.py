"""How a daemon opens a bundle: the CPU's twin beside the accelerator, which is checked against it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.engine.marker import Marker, read
from edgeinfer.engine.opening import Opening
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import open_predictor
from edgeinfer.engine.window_predictor import open_window_predictor
from edgeinfer.errors import BundleError, InferenceLost
from edgeinfer.events import Frame, Instant, Readings
from edgeinfer.store import open_bundle
from tests.engine import tiny, windowed
from tests.fixtures.delegates import Accelerator, twin

FRAME = Frame(("cam", 0), Instant("b", 0, 0), tiny.picture())
MISSING = {"library": "/no/libnothing.so"}


@pytest.fixture
def opened():
    """Opens a predictor as a daemon does, with patience, and closes it at the end."""
    made = []

    def open_(folder: Path, opening: Opening | None = None, **table):
        options = ModelOptions(bundle="b", backends=("external", "cpu"), **table)
        made.append(open_predictor(open_bundle(folder), options, opening or Opening(patience_s=30.0)))
        return made[-1]

    yield open_
    for predictor in made:
        predictor.close()


def labels(predictor) -> list[str]:
    return [finding.label for finding in predictor.predict(FRAME).findings]


def test_without_the_library_the_cpu_decides_and_says_why(opened, bundle_folder) -> None:
    predictor = opened(bundle_folder, external=MISSING)
    assert labels(predictor) == ["green"]
    assert "cpu" in predictor.runtime
    assert predictor.warning.startswith("external: the delegate library /no/libnothing.so cannot be loaded")


def test_readings_have_a_twin_as_well(tmp_path) -> None:
    folder = windowed.bundle(tmp_path / "b", 'length = 4\nchannels = ["x"]\nrate_hz = 10')
    options = ModelOptions(bundle="b", backends=("external", "cpu"), external=MISSING)
    predictor = open_window_predictor(open_bundle(folder), options, Opening(patience_s=30.0))
    block = Readings(("m", 0), Instant("b", 0, 0), ("x",), np.ones((4, 1)), 100_000_000)
    assert len(predictor.read(block)) == 1
    assert "cannot be loaded" in predictor.warning
    predictor.close()


def test_a_bundle_for_the_accelerator_only_has_no_twin_and_says_what_is_missing(tmp_path) -> None:
    bundle = open_bundle(twin(tmp_path / "only", cpu=False))
    options = ModelOptions(bundle="b", backends=("edgetpu", "cpu"))
    with pytest.raises(
        BundleError, match="backend edgetpu: .*cannot be loaded(.|\n)*no file for the backend 'cpu'"
    ):
        open_predictor(bundle, options, Opening())


def test_what_runs_in_this_process_is_marked_and_what_runs_in_a_child_is_not(bundle_folder, tmp_path) -> None:
    for isolate, marked in ((False, 1), (True, 0)):
        path = tmp_path / f"running-{isolate}"
        options = ModelOptions(bundle="b", isolate=isolate)
        predictor = open_predictor(open_bundle(bundle_folder), options, Opening(marker=Marker(path)))
        assert labels(predictor) == ["green"]
        predictor.close()
        runs = read(path)
        assert len(runs) == marked
        assert all(r.name == f"{open_bundle(bundle_folder).identity} on cpu" for r in runs)


@pytest.mark.slow
def test_an_accelerator_is_asked_the_golden_inputs_and_compared_with_the_cpu(
    opened, accelerator: Accelerator
) -> None:
    predictor = opened(accelerator.bundle, external=accelerator.table(mode="wrong", after=1))
    assert labels(predictor) == ["green"]
    assert "is not trusted, it parts from the CPU's answers: golden.png: green 1.000" in predictor.warning


@pytest.mark.slow
def test_what_the_bundle_expects_does_not_matter_where_the_cpu_finds_something_else(
    opened, accelerator: Accelerator
) -> None:
    """A golden file that this runtime does not meet is a matter of `model verify`, not of the accelerator."""
    (accelerator.bundle / "golden.json").write_text("[]")
    (accelerator.bundle / "manifest.toml").unlink()
    edit = ('cpu = "echo.tflite"', 'cpu = "echo.tflite"\nexternal = "external.tflite"')
    predictor = opened(tiny.seal(accelerator.bundle, edit), external=accelerator.table())
    assert labels(predictor) == ["green"]
    assert "libdelegate.so" in predictor.runtime


@pytest.mark.slow
def test_models_of_one_daemon_share_the_child_and_its_end_is_the_end_for_both(
    opened, accelerator: Accelerator
) -> None:
    counts: Counter[str] = Counter()

    def count(name: str) -> None:
        counts[name] += 1

    opening = Opening(patience_s=30.0, count=count)
    a, b = (opened(accelerator.bundle, opening, external=accelerator.table()) for _ in range(2))
    assert [labels(a), labels(b)] == [["green"], ["green"]]
    assert len(set(accelerator.processes())) == 1
    accelerator.turn("abort")
    assert [labels(a), labels(b)] == [["green"], ["green"]]
    accelerator.turn("")
    assert counts["accelerator_lost"] == 2


@pytest.mark.slow
def test_an_accelerator_alone_is_an_error_where_it_is_missing(accelerator: Accelerator) -> None:
    accelerator.turn("out")
    options = ModelOptions(bundle="b", backends=("external",), external=accelerator.table())
    with pytest.raises(InferenceLost, match="it finds no device"):
        open_predictor(open_bundle(accelerator.bundle), options, Opening())
