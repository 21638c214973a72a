"""The backends `edgetpu` and `external` over a stand-in delegate library that is built here; no Coral was touched."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from edgeinfer.engine.delegates import Taken, count
from edgeinfer.engine.edgetpu import Edgetpu
from edgeinfer.engine.external import External
from edgeinfer.engine.options import ModelOptions
from edgeinfer.engine.predictor import open_predictor
from edgeinfer.errors import BundleError, InferenceLost, InputError
from edgeinfer.events import Frame, Instant
from edgeinfer.ports import ModelFile
from edgeinfer.store import open_bundle
from tests.engine import tiny
from tests.fixtures.delegates import build, compiled, twin

needs_gcc = pytest.mark.slow


def external(library, mode="ok", **options):
    return External(External.Options(library=str(library), options={"mode": mode, **options}))


def file(graph, tmp_path, isolate=False):
    return ModelFile(str(graph.save(tmp_path / "m.tflite")), "", 1, isolate)


def ask(session):
    picture = np.arange(192, dtype=np.int8).reshape(1, 8, 8, 3)
    return np.array_equal(session.infer({"picture": picture})["heat"], picture)


def op(name, inputs, outputs):
    return {"op_name": name, "inputs": inputs, "outputs": outputs}


@pytest.mark.parametrize(
    ("ops", "taken"),
    [
        ([op("A", [0], [1]), op("B", [1], [2])], Taken(0, 2)),
        ([op("A", [0], [1]), op("B", [1], [2]), op("DELEGATE", [0], [2])], Taken(2, 2)),
        ([op("A", [0], [1]), op("B", [1], [2]), op("C", [2], [3]), op("DELEGATE", [1], [3])], Taken(2, 3)),
        ([op("A", [0, 9], [1, 4]), op("B", [1, 4, 8], [2]), op("DELEGATE", [0, 8, 9], [2])], Taken(2, 2)),
        ([op("A", [0], [1]), op("B", [1], [2]), op("C", [2], [3]), op("DELEGATE", [0], [1]), op("DELEGATE", [2], [3])], Taken(2, 3)),
    ],
)  # fmt: skip
def test_what_a_delegate_took_is_read_off_the_graph(ops, taken):
    assert count(ops) == taken


@needs_gcc
@pytest.mark.parametrize("isolate", [False, True])
def test_the_delegate_takes_its_operator_computes_and_says_so(delegate_library, tmp_path, isolate):
    session = external(delegate_library).open(file(compiled(), tmp_path, isolate))
    assert ask(session)
    assert "libdelegate.so (1 of 1 operators)" in session.runtime
    assert session.warning == ""
    session.close()


@needs_gcc
def test_what_it_leaves_runs_on_the_cpu_and_both_are_counted(delegate_library, tmp_path):
    session = external(delegate_library).open(file(compiled(rest=True), tmp_path))
    assert ask(session)
    assert "(1 of 2 operators)" in session.runtime


@needs_gcc
@pytest.mark.parametrize("isolate", [False, True])
def test_a_delegate_that_takes_nothing_is_a_warning_and_no_acceleration(delegate_library, tmp_path, isolate):
    session = external(delegate_library).open(file(tiny.echo(), tmp_path, isolate))
    assert ask(session)
    assert (
        session.warning == "the delegate libdelegate.so took none of the 1 operators: the CPU runs them all"
    )
    session.close()


@needs_gcc
@pytest.mark.parametrize(
    ("mode", "options", "error", "words"),
    [
        ("nodevice", {}, InferenceLost, "it finds no device; is it plugged in"),
        ("refuse", {}, InferenceLost, "refuses .*made by a newer compiler"),
        ("nothing", {}, BundleError, "is compiled for an Edge TPU, and .* did not take its operator"),
        ("ok", {"colour": "red"}, InferenceLost, "colour = 'red': stand-in: unknown option"),
    ],
)
@pytest.mark.parametrize("isolate", [False, True])
def test_what_goes_wrong_at_the_start_is_one_clear_error(
    delegate_library, tmp_path, mode, options, error, words, isolate
):
    with pytest.raises(error, match=words):
        external(delegate_library, mode, **options).open(file(compiled(), tmp_path, isolate))


@needs_gcc
def test_a_library_that_crashes_as_it_is_loaded_costs_its_child_only(delegate_library, tmp_path):
    with pytest.raises(
        InferenceLost, match="died of SIGABRT while it was loaded: was it built for another version"
    ):
        external(delegate_library, "crash-at-load").open(file(compiled(), tmp_path, isolate=True))


@needs_gcc
@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("fail", "the transfer to the device failed"),
        ("abort", "died of SIGABRT"),
        ("crash", "died of SIGSEGV"),
        ("hang", "gave no answer within 0.5 s and was killed"),
    ],
)
def test_an_accelerator_that_fails_at_work_is_lost_and_can_be_opened_again(
    delegate_library, tmp_path, mode, words
):
    model = file(compiled(), tmp_path, isolate=True)
    session = external(delegate_library, mode, after=2).open(model)
    assert ask(session)
    assert ask(session)
    picture = np.zeros((1, 8, 8, 3), np.int8)
    with pytest.raises(InferenceLost, match=words):
        session.infer({"picture": picture}, 0.5)
    session.close()
    again = external(delegate_library).open(model)
    assert ask(again)
    again.close()


def test_a_library_that_is_not_there_is_told_with_what_to_install(tmp_path):
    with pytest.raises(InputError, match=r"libedgetpu.so.1 cannot be loaded: .*install libedgetpu1-std"):
        Edgetpu(Edgetpu.Options()).open(file(compiled(), tmp_path, isolate=True))


@needs_gcc
def test_a_library_without_the_two_symbols_is_no_delegate(tmp_path):
    source = tmp_path / "other.c"
    source.write_text("int answer(void) { return 42; }\n")
    with pytest.raises(InputError, match="libother.so is no TFLite delegate"):
        external(build(source, tmp_path)).open(file(compiled(), tmp_path, isolate=True))


def test_values_reach_the_library_as_text(tmp_path):
    options = External.Options(library="x", options={"fast": True, "n": 3, "share": 0.5})
    assert External(options)._delegate.options == {"fast": "true", "n": "3", "share": "0.5"}


# --- bundles with a file for each backend ----------------------------------------------------------------


def options(library, **table):
    edgetpu = {"library": str(library)}
    return ModelOptions(bundle="colours", backends=("edgetpu", "cpu"), edgetpu=edgetpu, **table)


def found(predictor):
    frame = Frame(("cam", 0), Instant("b", 0, 0), tiny.picture())
    return [f.label for f in predictor.predict(frame).findings]


@needs_gcc
def test_each_backend_gets_its_own_file_of_the_bundle(delegate_library, tmp_path):
    bundle = open_bundle(twin(tmp_path / "twin"))
    predictor = open_predictor(bundle, options(delegate_library))
    assert "libdelegate.so (1 of 1 operators), child process" in predictor.runtime
    assert found(predictor) == ["green"]
    predictor.close()


def test_without_an_accelerator_the_cpu_takes_its_twin(tmp_path):
    predictor = open_predictor(open_bundle(twin(tmp_path / "twin")), options("libedgetpu.so.1"))
    assert "cpu" in predictor.runtime
    assert found(predictor) == ["green"]


def test_a_bundle_for_the_edge_tpu_only_says_what_this_device_lacks(tmp_path):
    bundle = open_bundle(twin(tmp_path / "only", cpu=False))
    with pytest.raises(
        BundleError, match="backend edgetpu: .*cannot be loaded(.|\n)*no file for the backend 'cpu'"
    ):
        open_predictor(bundle, options("libedgetpu.so.1"))


@needs_gcc
def test_an_accelerator_with_other_answers_than_the_cpu_is_not_trusted(delegate_library, tmp_path):
    table = {"library": str(delegate_library), "options": {"mode": "wrong"}}
    compiled().save(tiny.colours(tmp_path / "twin") / "external.tflite")
    edit = ('cpu = "echo.tflite"', 'cpu = "echo.tflite"\nexternal = "external.tflite"')
    bundle = open_bundle(tiny.seal(tmp_path / "twin", edit))
    with pytest.raises(InferenceLost, match=r"is not trusted: its answers part .*golden.png: green 1.000"):
        open_predictor(bundle, ModelOptions(bundle="b", backends=("external",), external=table))
    both = ModelOptions(bundle="b", backends=("external", "cpu"), external=table)
    assert "cpu" in open_predictor(bundle, both).runtime


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"edgetpu": {"device": "usb1"}}, "edgetpu: .*device"),
        ({"edgetpu": {"speed": 1}}, "edgetpu: .*speed"),
        ({"backends": ("external",)}, "external: .*library"),
        ({"backends": ("edgetqu",)}, "did you mean 'edgetpu'"),
    ],
)
def test_a_wrong_table_of_a_backend_is_told(tmp_path, table, words):
    bundle = open_bundle(tiny.colours(tmp_path / "b"))
    with pytest.raises(InputError, match=words):
        open_predictor(bundle, ModelOptions(**{"bundle": "b", "backends": ("edgetpu",)} | table))


LOAD = """
import sys
from edgeinfer.engine.delegates import open_delegated
from edgeinfer.errors import InputError
from edgeinfer.ports import Delegate, ModelFile
try:
    open_delegated(ModelFile("m.tflite", "", 1, delegate=Delegate(sys.argv[1], {})))
except InputError as error:
    print(error)
"""


@pytest.mark.parametrize("library", ["libnone.so", "libm.so.6"])
def test_a_library_that_is_none_leaves_no_traceback_behind(library):
    done = subprocess.run([sys.executable, "-c", LOAD, library], check=True, capture_output=True, text=True)
    assert library in done.stdout
    assert done.stderr == ""
