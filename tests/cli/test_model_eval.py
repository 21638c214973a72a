"""`edgeinfer model eval`, `compare` and `quantize`, as a user types them."""

from __future__ import annotations

import json

import pytest

from edgeinfer.cli.main import main
from tests.engine import tiny, windowed
from tests.evaluate import floating
from tests.evaluate.test_data import WINDOW, coco
from tests.fixtures.delegates import twin

DECODER = 'kind = "classify"\nactivation = "none"'
TRUE = ["first", "second", "rest"] * 5


@pytest.fixture
def like(tmp_path) -> str:
    return str(windowed.bundle(tmp_path / "classes", WINDOW, DECODER, "first\nsecond\nrest\n"))


@pytest.fixture
def model(tmp_path) -> str:
    return str(floating.save(tmp_path / "float.tflite"))


@pytest.fixture
def data(tmp_path) -> str:
    return str(floating.csv(tmp_path / "r.csv", floating.rows(15), TRUE))


def edgeinfer(capfd, *arguments: object) -> tuple[int, str, str]:
    code = main(["model", *map(str, arguments)])
    return code, *capfd.readouterr()


def test_eval_shows_top1_and_the_matrix(capfd, model, like, data) -> None:
    code, out, _ = edgeinfer(capfd, "eval", model, "--like", like, "--data", data)
    assert code == 0
    assert "15 answers" in out
    assert "top1 1.000" in out
    assert out.splitlines()[-1].split() == ["3", "rest", "0", "0", "5"]


def test_eval_for_a_program_by_backend(capfd, model, like, data) -> None:
    command = ("eval", model, "--like", like, "--data", data, "--backends", "cpu,cpu", "--limit", 6, "--json")
    code, out, _ = edgeinfer(capfd, *command)
    reports = json.loads(out)
    assert code == 0
    assert [report["backend"] for report in reports] == ["cpu", "cpu"]
    assert [report["answers"] for report in reports] == [6, 6]
    assert reports[0]["headline"] == "top1"


def test_eval_of_a_detector_shows_average_precision(capfd, tmp_path) -> None:
    folder = tiny.colours(tmp_path / "colours")
    code, out, _ = edgeinfer(capfd, "eval", folder, "--data", coco(tmp_path / "d"))
    assert code == 0
    assert "map50 1.000  map50_95 1.000  recall 1.000  precision 1.000" in out


@pytest.mark.slow  # needs gcc
def test_eval_judges_an_accelerator_beside_the_cpu(capfd, tmp_path, delegate_library) -> None:
    folder, data = twin(tmp_path / "twin"), coco(tmp_path / "d")
    command = ("--backends", "cpu,edgetpu", "--library", delegate_library, "--json")
    code, out, err = edgeinfer(capfd, "eval", folder, "--data", data, *command)
    assert code == 0, err
    cpu, edgetpu = json.loads(out)
    assert cpu["figures"] == edgetpu["figures"]
    assert "libdelegate.so (1 of 1 operators)" in edgetpu["runtime"]
    assert edgetpu["size_bytes"] == (folder / "echo_edgetpu.tflite").stat().st_size


def test_a_delegate_that_is_not_there_is_told(capfd, model, like, data) -> None:
    command = (
        "eval",
        model,
        "--like",
        like,
        "--data",
        data,
        "--backends",
        "external",
        "--library",
        "/no.so",
        "--option",
        "a=b",
    )
    code, _, err = edgeinfer(capfd, *command)
    assert code == 2
    assert "/no.so" in err


def test_quantize_then_compare_says_what_it_costs(capfd, tmp_path, model, like, data) -> None:
    out_file = tmp_path / "q.tflite"
    code, out, _ = edgeinfer(capfd, "quantize", model, "--data", data, "--like", like, "--out", out_file)
    assert code == 0, out
    assert "calibrated with 15 samples; it opens" in out
    compared = ("compare", model, out_file, "--like", like, "--data", data, "--max-loss", "0.05")
    code, out, _ = edgeinfer(capfd, *compared)
    assert code == 0
    assert "loss (top1): 0.0000, within 0.05" in out
    assert "agreement over 15 answers: same 1.0000" in out


def test_compare_ends_with_1_past_max_loss(capfd, tmp_path, model, like, data) -> None:
    other = floating.save(tmp_path / "other.tflite", weights=floating.WEIGHTS[[1, 0, 2]])
    command = ("compare", model, other, "--like", like, "--data", data, "--max-loss", "0.5", "--json")
    code, out, _ = edgeinfer(capfd, *command)
    told = json.loads(out)
    assert code == 1
    assert told["loss"] == pytest.approx(2 / 3)
    assert told["passed"] is False
    assert told["b"]["confusion"]["rows"] == [[0, 5, 0], [5, 0, 0], [0, 0, 5]]


def test_an_output_that_exists_is_kept(capfd, tmp_path, model, data) -> None:
    (tmp_path / "float_int8.tflite").write_text("mine")
    code, _, err = edgeinfer(capfd, "quantize", model, "--data", data)
    assert code == 2
    assert "exists already; another name with --out, or --force" in err
    assert (tmp_path / "float_int8.tflite").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("eval", "{model}", "--data", "{data}"), "is a bare file, which does not say what its tensors mean"),
        (("eval", "{model}", "--like", "{like}", "--data", "/nowhere"), "there is no such file or folder"),
        (
            ("eval", "{model}", "--like", "{like}", "--data", "{data}", "--threads", "0"),
            "expected a number of 1",
        ),
        (
            ("eval", "{model}", "--like", "{like}", "--data", "{data}", "--backends", "gpu"),
            "no backend of kind 'gpu'",
        ),
        (
            ("compare", "{model}", "parts", "--like", "vibration", "--data", "{data}"),
            "answer different questions",
        ),
        (("quantize", "{model}", "--data", "{data}", "--samples", "3"), "--samples: expected 10 or more"),
        (("quantize", "{model}", "--data", "{data}", "--std", "0"), "--std: expected a number above 0"),
        (("quantize", "/no.tflite", "--data", "{data}"), "there is no such file"),
    ],
)
def test_wrong_input_is_one_message_and_exit_2(capfd, model, like, data, arguments, told) -> None:
    filled = [text.format(model=model, like=like, data=data) for text in arguments]
    code, _, err = edgeinfer(capfd, *filled)
    assert code == 2
    assert told in err


def test_data_without_answers_is_no_evaluation(capfd, tmp_path, model, like) -> None:
    plain = floating.csv(tmp_path / "plain.csv", floating.rows(5))
    code, _, err = edgeinfer(capfd, "eval", model, "--like", like, "--data", plain)
    assert code == 2
    assert "says of no sample what it is" in err
