"""How a model is to run, said at the command line: the same keys, and the same errors, as in a config."""

from __future__ import annotations

import argparse
import json
import sys

import pytest

from edgeinfer.cli.main import main
from edgeinfer.cli.model_backend import add_backend_options, options_of
from edgeinfer.engine.options import ModelOptions
from edgeinfer.errors import InputError
from tests.fixtures.delegates import Accelerator, twin


def asked(*words: str, backends=("external",), threads: int = 1) -> ModelOptions:
    parser = argparse.ArgumentParser()
    add_backend_options(parser)
    return options_of(parser.parse_args(words), backends, threads)


def test_library_and_options_become_the_table_of_the_backend() -> None:
    found = asked("--library", "libx.so", "--option", "mode=fast", "--option", "level=1.50")
    assert found.of("external") == {"library": "libx.so", "options": {"mode": "fast", "level": "1.50"}}
    assert asked("--option", "device=usb:1", backends=("edgetpu",)).of("edgetpu") == {"device": "usb:1"}


def test_what_is_not_said_is_as_in_a_config_without_it() -> None:
    assert asked(backends=("cpu",)) == ModelOptions(bundle="")
    found = asked("--isolate", "--python", sys.executable, backends=("cpu",), threads=2)
    assert found == ModelOptions(bundle="", threads=2, isolate=True, python=sys.executable)


@pytest.mark.parametrize(
    ("words", "backends", "told"),
    [
        ((), ("external",), r"--option or --library: external: the key 'library' is missing"),
        (("--library", "x", "--option", "device=usb"), ("edgetpus",), "edgetpu"),
        (("--option", "devise=usb"), ("edgetpu",), r"edgetpu\.devise: unknown key; did you mean 'device'"),
        (("--option", "device=serial"), ("edgetpu",), "edgetpu.device: expected"),
        (("--option", "mode"), ("external",), "--option: expected KEY=VALUE"),
        (("--library", "x"), ("cpu",), "name external or edgetpu"),
        (("--python", "/no/such"), ("cpu",), "--python: python: expected the path of a Python interpreter"),
    ],
)
def test_what_is_wrong_is_told_by_its_option(words, backends, told) -> None:
    with pytest.raises(InputError, match=told):
        asked(*words, backends=backends)


@pytest.mark.parametrize("threads", [0, -1, 65])
def test_a_wrong_number_of_threads_is_told(threads) -> None:
    with pytest.raises(InputError, match="--threads:"):
        asked(threads=threads, backends=("cpu",))


def edgeinfer(capfd, *words: object) -> tuple[int, str, str]:
    code = main(["model", *map(str, words)])
    out, err = capfd.readouterr()
    return code, out, err


@pytest.mark.slow  # needs gcc
@pytest.mark.parametrize("more", [[], ["--isolate"]])
def test_bench_and_verify_run_a_bundle_on_a_delegate_that_is_named(
    accelerator: Accelerator, capfd, more
) -> None:
    delegate = (
        "--library",
        accelerator.library,
        "--option",
        f"log={accelerator.bundle.parent / 'log'}",
        *more,
    )
    words = ("bench", accelerator.bundle, "--backends", "external", "--seconds", "0.1", "--json", *delegate)
    code, out, err = edgeinfer(capfd, *words)
    assert (code, err) == (0, "")
    [run] = json.loads(out)["runs"]
    assert "libdelegate.so (1 of 1 operators)" in run["measured"]["runtime"]
    code, out, err = edgeinfer(capfd, "verify", accelerator.bundle, "--backend", "external", *delegate)
    assert code == 0, err
    assert "libdelegate.so (1 of 1 operators)" in out
    assert len(accelerator.processes()) == 2


@pytest.mark.slow  # needs gcc
def test_bench_takes_a_bare_file_for_a_delegate(delegate_library, tmp_path, capfd) -> None:
    folder = twin(tmp_path / "twin")
    words = ("--backends", "edgetpu", "--library", delegate_library, "--seconds", "0.1", "--json")
    code, out, err = edgeinfer(capfd, "bench", folder / "echo_edgetpu.tflite", *words)
    assert code == 0, err
    assert "libdelegate.so" in json.loads(out)["runs"][0]["measured"]["runtime"]
