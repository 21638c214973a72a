"""What a process leaves behind when it dies: which model was at work, in which thread."""

from __future__ import annotations

from threading import Thread, get_ident

import numpy as np
import pytest

from edgeinfer.engine.marker import MarkedSession, Marker, Run, read
from edgeinfer.errors import InferenceLost
from edgeinfer.testing.engine import ECHO, FakeSession

INPUT = {"in": np.zeros((1, 4), np.uint8)}


def test_a_model_is_marked_while_it_infers_and_not_after(tmp_path) -> None:
    path = tmp_path / "running"
    seen: list[list[Run]] = []

    def answer(inputs):
        seen.append(read(path))
        return inputs

    session = MarkedSession(FakeSession(ECHO, answer), Marker(path), "parts@sha256:0 on cpu")
    session.infer(INPUT)
    assert seen == [[Run("parts@sha256:0 on cpu", get_ident(), at_work=True)]]
    assert read(path) == [Run("parts@sha256:0 on cpu", get_ident(), at_work=False)]


def test_an_error_is_no_death(tmp_path) -> None:
    def answer(inputs):
        raise InferenceLost("x")

    session = MarkedSession(FakeSession(ECHO, answer), Marker(tmp_path / "running"), "a")
    with pytest.raises(InferenceLost):
        session.infer(INPUT)
    assert not read(tmp_path / "running")[0].at_work


def test_models_at_work_in_several_threads_are_told_apart(tmp_path) -> None:
    marker, path = Marker(tmp_path / "running"), tmp_path / "running"
    with marker.at("a"):
        thread = Thread(target=lambda: marker.begin(marker.slot("b")))
        thread.start()
        thread.join()
        a, b = read(path)
    assert (a.name, b.name) == ("a", "b")
    assert a.at_work
    assert b.at_work
    assert a.thread != b.thread


def test_more_models_than_there_is_room_for_do_no_harm(tmp_path) -> None:
    marker = Marker(tmp_path / "running")
    slots = [marker.slot(f"model-{n}") for n in range(80)]
    assert max(slots) == 63
    assert read(tmp_path / "running")[slots[79]].name == "model-79"
    assert marker.slot("model-40") == slots[40]


@pytest.mark.parametrize(
    "left", [None, b"", b"\0" * 100, b"x" * 5000], ids=["absent", "empty", "short", "noise"]
)
def test_what_is_no_marker_says_nothing(tmp_path, left) -> None:
    if left is not None:
        (tmp_path / "running").write_bytes(left)
    assert read(tmp_path / "running") == []


def test_where_there_is_no_room_it_marks_nothing_and_works(tmp_path) -> None:
    (tmp_path / "running").mkdir()
    with Marker(tmp_path / "running").at("a"):
        assert read(tmp_path / "running") == []
