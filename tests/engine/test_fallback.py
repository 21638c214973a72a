"""A session over sessions, with fakes: who infers when, and how it is said."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from edgeinfer.backoff import Backoff
from edgeinfer.engine.fallback import Candidate, FallbackSession
from edgeinfer.engine.isolated import Busy
from edgeinfer.errors import InferenceLost, InputError
from edgeinfer.tensors import ModelSpec, TensorSpec
from edgeinfer.testing.engine import FakeSession
from tests.waiting import wait_for

SPEC = ModelSpec(
    (TensorSpec("in", (1, 4), "uint8", 0.5, 0, 0),), (TensorSpec("out", (1, 4), "uint8", 0.5, 0, 1),)
)
INPUT = {"in": np.array([[0, 1, 2, 3]], np.uint8)}


class Device(FakeSession):
    """Answers by its number; `failing` is raised instead, as often as it stands there."""

    def __init__(self, number: int, spec: ModelSpec = SPEC, warning: str = "") -> None:
        self.failing: list[Exception] = []
        super().__init__(spec, self._answer_now)
        self.number, self.runtime, self.warning = number, f"device {number}", warning

    def _answer_now(self, inputs):
        if self.failing:
            raise self.failing.pop(0)
        return {t.name: np.full((1, 4), self.number, np.uint8) for t in self.spec.outputs}


class Bench:
    """A fallback over devices that are handed out, or errors that are raised, one after another."""

    def __init__(self, *opens, check=lambda *_: "", more=()) -> None:
        self.twin, self.counts = Device(0), Counter()
        self.opens = list(opens)
        candidates = [Candidate("tpu", self._open, Backoff(0.01, 0.02)), *more]
        self.session = FallbackSession(self.twin, candidates, check, self.count, patience_s=5.0)

    def count(self, name: str) -> None:
        self.counts[name.removeprefix("accelerator_")] += 1

    def _open(self):
        wait_for(lambda: self.opens, what="something to open")
        what = self.opens.pop(0)
        if isinstance(what, Exception):
            raise what
        return what

    def by(self) -> int:
        return int(self.session.infer(INPUT)["out"][0, 0])


@pytest.fixture
def bench():
    made = []

    def make(*opens, **options) -> Bench:
        made.append(Bench(*opens, **options))
        return made[-1]

    yield make
    for one in made:
        one.opens.append(InferenceLost("the end"))
        one.session.close()


def test_the_accelerator_infers_while_it_works(bench) -> None:
    it = bench(Device(7))
    assert [it.by(), it.by()] == [7, 7]
    assert (it.session.runtime, it.session.warning) == ("device 7", "")


def test_what_it_fails_at_the_twin_does_in_the_same_call(bench) -> None:
    tpu = Device(7)
    it = bench(tpu)
    tpu.failing = [InferenceLost("the cable")]
    assert it.by() == 0
    assert it.session.runtime == "device 0"
    assert it.session.warning == "tpu: the cable (the CPU goes on)"
    assert it.counts["lost"] == 1
    wait_for(lambda: tpu.closed, what="the lost session is closed")


def test_it_comes_back_by_itself_and_is_counted(bench) -> None:
    tpu = Device(7)
    it = bench(tpu, InferenceLost("still out"), Device(8))
    tpu.failing = [InferenceLost("the cable")]
    it.by()
    wait_for(lambda: it.by() == 8)
    assert it.session.warning == ""
    assert it.counts == {"lost": 1, "back": 1, "tries": 3}


def test_one_that_is_missing_at_the_start_is_said_and_taken_up_later(bench) -> None:
    it = bench(InferenceLost("no device"))
    assert it.by() == 0
    assert it.session.warning == "tpu: no device (the CPU goes on)"
    it.opens.append(Device(7))
    wait_for(lambda: it.by() == 7)


def test_one_that_is_busy_with_other_models_is_passed_over_for_this_call_only(bench) -> None:
    tpu = Device(7)
    it = bench(tpu)
    tpu.failing = [Busy("others")]
    assert [it.by(), it.by()] == [0, 7]
    assert it.counts == {"tries": 1, "busy": 1}


def test_wrong_inputs_are_nobody_elses_fault(bench) -> None:
    tpu = Device(7)
    it = bench(tpu)
    tpu.failing = [InputError("expected the inputs ['in']")]
    with pytest.raises(InputError):
        it.by()
    assert it.by() == 7


def test_an_opening_that_takes_long_holds_up_nobody() -> None:
    gate, tpu = Event(), Device(7)

    def open_() -> Device:
        assert gate.wait(10)
        return tpu

    session = FallbackSession(
        Device(0), [Candidate("tpu", open_, Backoff())], lambda *_: "", lambda _: None, 0
    )
    assert session.infer(INPUT)["out"][0, 0] == 0
    assert session.warning == "tpu: is being opened (the CPU goes on)"
    gate.set()
    wait_for(lambda: session.infer(INPUT)["out"][0, 0] == 7)
    session.close()
    assert tpu.closed


def test_what_the_user_has_to_mend_is_not_tried_again(bench) -> None:
    it = bench(InputError("the library libx.so cannot be loaded"))
    it.by()
    assert "libx.so cannot be loaded; not tried again before a reload or restart" in it.session.warning
    assert it.session._pause_s() is None


def test_one_that_parts_from_the_twin_is_not_trusted(bench) -> None:
    tpu = Device(7)
    it = bench(tpu, check=lambda *_: "golden.png: green 1.000 was expected and not found")
    assert it.by() == 0
    assert "device 7 is not trusted, it parts from the CPU's answers: golden.png" in it.session.warning
    assert tpu.closed


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ModelSpec(SPEC.inputs, ()), "it has 0 outputs, and the twin 1"),
        (ModelSpec((replace(SPEC.inputs[0], dtype="int8"),), SPEC.outputs), "its input 'in' is int8"),
        (ModelSpec(SPEC.inputs, (replace(SPEC.outputs[0], scale=0.25),)), "its output 'out' .* scale 0.25"),
    ],
)
def test_a_file_of_another_shape_does_not_take_the_twins_place(bench, spec, words) -> None:
    it = bench(Device(7, spec))
    assert it.by() == 0
    assert re.search(words, it.session.warning)


def test_tensors_that_only_have_other_names_are_the_same(bench) -> None:
    names = ModelSpec((replace(SPEC.inputs[0], name="x"),), (replace(SPEC.outputs[0], name="y"),))
    tpu = Device(7, names)
    it = bench(tpu)
    assert it.by() == 7
    assert list(tpu.seen[-1]) == ["x"]


def test_a_warning_of_the_one_that_works_is_told(bench) -> None:
    it = bench(Device(7, warning="the delegate took none of the 3 operators"))
    assert it.session.warning == "the delegate took none of the 3 operators"


def test_a_surprise_while_opening_does_not_end_the_tries(bench) -> None:
    it = bench(RuntimeError("a bug"), Device(7))
    wait_for(lambda: it.by() == 7)


def test_of_two_accelerators_the_better_one_takes_over_and_the_other_stands_in(bench) -> None:
    tpu, gpu = Device(7), [Device(5), Device(6)]
    second = Candidate("gpu", lambda: gpu.pop(0), Backoff(0.01, 0.02))
    first = gpu[0]
    it = bench(InferenceLost("out"), more=[second])
    assert it.by() == 5
    it.opens.append(tpu)
    wait_for(lambda: it.by() == 7)
    wait_for(lambda: first.closed, what="the worse one is closed")
    tpu.failing = [InferenceLost("out again")]
    it.by()
    wait_for(lambda: it.by() == 6)


def test_the_pauses_grow_until_it_has_worked_for_long(monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr("edgeinfer.engine.fallback.time.monotonic", lambda: now[0])
    one = Candidate("tpu", lambda: Device(7), Backoff(1.0, 60.0))

    def pause_after(worked_s: float) -> float:
        one.opened()
        now[0] += worked_s
        one.lost(InferenceLost("x"))
        return one.due_s - now[0]

    assert 0.75 <= pause_after(0.0) <= 1.25
    assert 1.5 <= pause_after(1.0) <= 2.5
    assert 3.0 <= pause_after(59.0) <= 5.0
    assert 0.75 <= pause_after(61.0) <= 1.25


def test_closing_closes_both() -> None:
    tpu, twin = Device(7), Device(0)
    session = FallbackSession(
        twin, [Candidate("tpu", lambda: tpu, Backoff())], lambda *_: "", lambda _: None, 5
    )
    session.close()
    assert tpu.closed
    assert twin.closed
