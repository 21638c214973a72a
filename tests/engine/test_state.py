"""Models that remember: an output feeds an input of the next call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.state import State
from edgeinfer.engine.window_predictor import open_window_predictor
from edgeinfer.errors import BundleError
from edgeinfer.events import Value
from edgeinfer.store import open_bundle
from edgeinfer.tensors import ModelSpec, TensorSpec
from tests.engine import tiny, windowed
from tests.samples import readings


def tensor(name: str, shape=(1, 2), dtype="float32", scale=0.0, zero_point=0) -> TensorSpec:
    return TensorSpec(name, shape, dtype, scale, zero_point, 0)


SPEC = ModelSpec(
    (tensor("x", (1, 4)), tensor("h", dtype="int8", scale=0.1, zero_point=7), tensor("mask")),
    (
        tensor("y"),
        tensor("h_out", dtype="int8", scale=0.1, zero_point=7),
        tensor("h_float"),
        tensor("wide", (1, 9)),
    ),
)


def test_at_first_all_inputs_but_the_sample_are_zero() -> None:
    first = State(SPEC, "x", {"h": "h_out"}).inputs("cam")
    assert {name: values.tolist() for name, values in first.items()} == {"h": [[7, 7]], "mask": [[0, 0]]}


def test_an_output_feeds_the_next_call_of_its_source_only() -> None:
    state = State(SPEC, "x", {"h": "h_out"})
    output = np.int8([[1, 2]])
    state.take("cam", {"h_out": output})
    output[:] = 99  # the session may use its array again
    assert state.inputs("cam")["h"].tolist() == [[1, 2]]
    assert state.inputs("other")["h"].tolist() == [[7, 7]]


def test_a_source_that_was_lost_begins_anew() -> None:
    state = State(SPEC, "x", {"h": "h_out"})
    state.take("cam", {"h_out": np.int8([[1, 2]])})
    state.forget("cam")
    assert state.inputs("cam")["h"].tolist() == [[7, 7]]


def test_tensors_of_different_scales_are_requantized() -> None:
    state = State(SPEC, "x", {"h": "h_float"})
    state.take("cam", {"h_float": np.float32([[0.3, -0.2]])})
    assert state.inputs("cam")["h"].tolist() == [[10, 5]]


@pytest.mark.parametrize(
    ("feeds", "told"),
    [
        (
            {"hh": "h_out"},
            r"state\.hh: the model has no such input to feed; did you mean 'h'\? \(there are: h, mask\)",
        ),
        ({"x": "h_out"}, r"state\.x: .* \(it takes the sample\)"),
        ({"h": "h_aut"}, r"state\.h: the model has no output 'h_aut'; did you mean 'h_out'"),
        ({"h": "wide"}, r"state\.h: has the shape \(1, 2\), the output 'wide' has \(1, 9\)"),
    ],
)
def test_what_cannot_be_fed_is_refused(feeds, told) -> None:
    with pytest.raises(BundleError, match=told):
        State(SPEC, "x", feeds)


# --- a real model: sum = reading + sum of the call before


def adder() -> tiny.Graph:
    options = schema.AddOptionsT()
    tensors = [tiny.Tensor(name, [1, 1], tiny.FLOAT, 0.0) for name in ("reading", "before", "sum")]
    op = tiny.Op(schema.BuiltinOperator.ADD, [0, 1], [2], schema.BuiltinOptions.AddOptions, options)
    return tiny.Graph(tensors, [0, 1], [2], [op])


def predictor(folder: Path, state: str):
    window = 'length = 1\nrate_hz = 1000\nchannels = ["x"]\nname = "reading"'
    path = windowed.bundle(folder, window, 'kind = "raw"', "total\n")
    adder().save(path / "echo.tflite")
    text = (path / "manifest.toml").read_text()
    text = text[: text.index("[files]")].replace('reconstruction = "out"', 'total = "sum"') + state
    (path / "manifest.toml").unlink()
    return open_window_predictor(open_bundle(sealed(path, text)), ModelOptions(bundle="b"))


def sealed(folder: Path, text: str) -> Path:
    from hashlib import sha256

    files = "".join(f'"{p.name}" = "{sha256(p.read_bytes()).hexdigest()}"\n' for p in folder.iterdir())
    (folder / "manifest.toml").write_text(f"{text}\n[files]\n{files}")
    return folder


def totals(model, n: int, *, gap: bool = False) -> list[float]:
    block = replace(readings(n, value=1.0), channels=("x",), period_ns=1_000_000, gap_before=gap)
    return [f.value for seen in model.read(block) for f in seen.findings if isinstance(f, Value)]


def test_a_recurrent_model_remembers_until_a_gap_or_a_loss(tmp_path) -> None:
    model = predictor(tmp_path / "b", '[state]\nbefore = "sum"\n')
    assert [totals(model, n) for n in (1, 2, 3)] == [[1], [2], [3]]
    assert totals(model, 4, gap=True) == [1]
    assert totals(model, 5) == [2]
    model.forget("motor")
    assert totals(model, 6) == [1]
    model.close()


def test_a_model_without_a_state_table_remembers_nothing(tmp_path) -> None:
    model = predictor(tmp_path / "b", "")
    assert [totals(model, n) for n in (1, 2)] == [[1], [1]]
    model.close()


def test_a_state_that_does_not_fit_is_refused_with_its_line(tmp_path) -> None:
    with pytest.raises(
        BundleError, match=r"manifest\.toml:\d+ state\.before: the model has no output 'some'"
    ):
        predictor(tmp_path / "b", '[state]\nbefore = "some"\n')
