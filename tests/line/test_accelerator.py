"""The daemon with an accelerator that fails in every way: decisions go on, health says why, and it comes back.

The accelerator is the stand-in of tests/fixtures/delegate.c, in a child process of the daemon like a real one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeinfer.errors import EdgeinferError
from edgeinfer.store import open_bundle
from tests.engine import tiny
from tests.engine.test_isolated import gone
from tests.fixtures.delegates import Accelerator
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

HEAD = """
device = "press-07"
[source.belt]
kind = "camera"
from = "{folder}/pictures"
loop = true
fps = 20
[sink.file]
kind = "jsonl"
path = "{folder}/out.jsonl"
"""
LINE = """
[model.{name}]
bundle = "{bundle}"
{model}
[rule.{name}]
kind = "presence"
label = "green"
[pipeline.{name}]
source = "belt"
model = "{name}"
rules = ["{name}"]
priority = {priority}
"""
CPU = 'backends = ["cpu"]'


def toml(table: dict[str, Any]) -> str:
    return (
        "{"
        + ", ".join(f"{k} = {toml(v) if isinstance(v, dict) else json.dumps(v)}" for k, v in table.items())
        + "}"
    )


def both(accelerator: Accelerator, more: str = "", **options: object) -> str:
    return f'backends = ["external", "cpu"]\nexternal = {toml(accelerator.table(**options))}\n{more}'


def config(folder: Path, *lines: tuple[str, str]) -> str:
    """Pictures that change with each one, so that each one is a decision; `lines` are (name, model's table)."""
    (folder / "pictures").mkdir(exist_ok=True)
    for n, pixels in enumerate((tiny.picture(), np.zeros((64, 64, 3), np.uint8))):
        cv2.imwrite(str(folder / "pictures" / f"{n}.png"), pixels)
    text = HEAD.format(folder=folder)
    for priority, (name, model) in enumerate(lines, 4):
        text += LINE.format(name=name, bundle=folder / "colours", model=model, priority=priority)
    return text


class Line:
    """One pipeline of a running daemon."""

    def __init__(self, run, folder: Path, name: str = "parts") -> None:
        self.run, self._out, self.name = run, folder / "out.jsonl", name

    @property
    def post(self) -> dict[str, Any]:
        """{} until the daemon answers."""
        try:
            return self.run.post(f"pipeline.{self.name}")
        except EdgeinferError:
            return {}

    @property
    def runtime(self) -> str:
        return self.post.get("runtime", "")

    @property
    def note(self) -> str:
        return self.post.get("notes", {}).get("model", "")

    def states(self) -> list[str]:
        lines = self._out.read_text().splitlines() if self._out.exists() else []
        return [d["state"] for d in map(json.loads, lines) if d["rule"] == self.name]

    def goes_on(self, n: int = 5) -> None:
        before = len(self.states())
        wait_for(lambda: len(self.states()) >= before + n, what=f"{n} more decisions\n{self.run.log()}")

    def on(self, what: str) -> dict[str, Any]:
        """Waits until `what` runs the model (a hang in the first inference of a try costs 20 s); its health then."""
        seen: list[dict[str, Any]] = []

        def there() -> bool:
            seen[:] = [self.post]
            return what in seen[0].get("runtime", "")

        wait_for(there, 40.0, what=f"runs on {what}")
        return seen[0]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("fail", "the transfer to the device failed"),
        ("out", "the transfer to the device failed|it finds no device"),
        ("hang", "gave no answer within 0.4 s and was killed"),
        ("abort", "died of SIGABRT"),
        ("crash", "died of SIGSEGV"),
    ],
)
def test_decisions_go_on_without_a_gap_and_the_accelerator_comes_back(
    daemon, accelerator, tmp_path, fault, words
) -> None:
    line = Line(daemon(config(tmp_path, ("parts", both(accelerator)))), tmp_path)
    line.run.wait_post("pipeline.parts", "ok")
    line.on("libdelegate.so (1 of 1 operators), child process")
    line.goes_on()
    accelerator.turn(fault)
    post = line.on("cpu")
    degraded = line.run.health()["degraded"]
    accelerator.turn("")
    assert re.search(words, post["notes"]["model"])
    assert post["notes_since"]["model"]
    assert "pipeline.parts" in degraded
    line.goes_on()
    line.on("libdelegate.so")
    wait_for(lambda: not line.note)
    line.goes_on()
    post = line.post
    assert (post["accelerator_lost"], post["accelerator_back"]) == (1, 1)
    assert "unknown" not in line.states()  # no hole: the rules never stopped knowing
    assert line.run.stop() == 0
    wait_for(lambda: all(map(gone, accelerator.processes())), what="no child is left")


def test_an_accelerator_that_is_missing_at_the_start_is_taken_up_when_it_is_plugged_in(
    daemon, accelerator, tmp_path
) -> None:
    accelerator.turn("out")
    line = Line(daemon(config(tmp_path, ("parts", both(accelerator)))), tmp_path)
    line.goes_on()
    assert "cpu" in line.runtime
    wait_for(lambda: "it finds no device; is it plugged in" in line.note)
    accelerator.turn("")
    line.on("libdelegate.so")
    wait_for(lambda: line.run.health()["condition"] == "ok")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mode": "crash-at-load"}, "died of SIGABRT while it was loaded: was it built for another version"),
        ({"mode": "wrong"}, "is not trusted, it parts from the CPU's answers: golden.png: green"),
        ({"colour": "red"}, "stand-in: unknown option"),
    ],
    ids=["crash at load", "wrong answers", "unknown option"],
)
def test_one_that_cannot_be_used_is_said_and_the_cpu_decides(
    daemon, accelerator, tmp_path, options, words
) -> None:
    line = Line(daemon(config(tmp_path, ("parts", both(accelerator, **options)))), tmp_path)
    line.goes_on()
    wait_for(lambda: words in line.note, what=f"{words}\n{line.run.log()}")
    line.goes_on()
    assert "cpu" in line.runtime


def test_a_library_that_is_not_there_is_said_with_what_to_install(daemon, accelerator, tmp_path) -> None:
    model = 'backends = ["edgetpu", "cpu"]'
    bundle = tiny.seal(
        accelerator.bundle, ('cpu = "echo.tflite"', 'cpu = "echo.tflite"\nedgetpu = "external.tflite"')
    )
    assert bundle == tmp_path / "colours"
    line = Line(daemon(config(tmp_path, ("parts", model))), tmp_path)
    line.goes_on()
    wait_for(lambda: "install libedgetpu1-std" in line.note)
    assert "not tried again before a reload or restart" in line.note


def test_a_delegate_that_takes_nothing_is_a_warning_in_health(daemon, accelerator, tmp_path) -> None:
    tiny.seal(accelerator.bundle)
    line = Line(daemon(config(tmp_path, ("parts", both(accelerator)))), tmp_path)
    line.goes_on()
    wait_for(lambda: "took none of the 1 operators: the CPU runs them all" in line.note)
    assert line.run.health()["condition"] == "degraded"


def test_two_models_share_one_child_of_the_accelerator(daemon, accelerator, tmp_path) -> None:
    run = daemon(config(tmp_path, ("low", both(accelerator)), ("high", both(accelerator))))
    lines = [Line(run, tmp_path, name) for name in ("low", "high")]
    for line in lines:
        line.on("libdelegate.so")
        line.goes_on()
    assert len(set(accelerator.processes())) == 1
    accelerator.turn("abort")
    for line in lines:
        line.on("cpu")
    accelerator.turn("")
    for line in lines:
        line.on("libdelegate.so")
        line.goes_on()


def test_a_model_that_kills_the_daemon_twice_is_left_out_and_the_others_go_on(
    daemon, accelerator, tmp_path
) -> None:
    """Not isolated, as a user may insist: the abort is the daemon's own."""
    bad = both(accelerator, "isolate = false", mode="abort", after=30)
    other = tiny.colours(tmp_path / "other", ('version = "1"', 'version = "2"'))
    text = config(tmp_path, ("bad", bad)) + LINE.format(name="good", bundle=other, model=CPU, priority=5)
    run = daemon(text)
    for _ in range(2):
        wait_for(lambda: run.process.poll() is not None, 30, "it dies")
        assert run.process.returncode == -6
        run.start()
    left_out, good = Line(run, tmp_path, "bad"), Line(run, tmp_path, "good")
    wait_for(lambda: "it is left out" in left_out.post.get("reason", ""), what=run.log())
    assert "has crashed this process 2 times within a day (Aborted)" in left_out.post["reason"]
    assert "the last run died of a native crash (Aborted), probably of colours@sha256:" in run.log()
    good.goes_on()
    assert good.post["condition"] == "ok"
    assert run.stop() == 0


def test_the_version_before_a_model_that_kills_the_daemon_goes_on(daemon, accelerator, tmp_path) -> None:
    """Version 2 has a file for the accelerator that aborts, version 1 has none."""
    folder = tmp_path / "models" / "colours"
    old = open_bundle(tiny.colours(folder / "000000000001"))
    new = open_bundle(accelerator.bundle.rename(folder / "000000000002"))
    (folder / "index.json").write_text('{"versions": [], "used": ["000000000001", "000000000002"]}')
    bad = both(accelerator, "isolate = false", mode="abort", after=30)
    text = config(tmp_path, ("parts", bad)).replace(f"{tmp_path}/colours", str(new.folder))
    run = daemon(text)
    for _ in range(2):
        wait_for(lambda: run.process.poll() is not None, 30, "it dies")
        run.start()
    line = Line(run, tmp_path)
    wait_for(lambda: line.post.get("model") == old.identity, what=run.log())
    line.goes_on(40)
    assert f"the version before it, {old.identity}, is used" in line.post["notes"]["bundle"]
    assert run.health()["condition"] == "degraded"
