"""Children that several sessions share, and interpreters that are not ours."""

from __future__ import annotations

import os
import sys
import time
from threading import Thread

import numpy as np
import pytest

from edgeinfer.engine.child import Host, Job
from edgeinfer.engine.isolated import Busy, IsolatedSession
from edgeinfer.engine.process import Child, Children
from edgeinfer.engine.shared import Infer
from edgeinfer.errors import BundleError, InferenceLost, InputError
from edgeinfer.ports import Delegate, ModelFile
from tests.engine.test_isolated import gone
from tests.waiting import wait_for

OPENER = "edgeinfer.testing.engine:open_trouble"
INPUT = {"in": np.array([[0, 1, 2, 3]], np.uint8)}


@pytest.fixture
def opened():
    sessions, children = [], Children()

    def open_(trouble: str, device: str = "", **more) -> IsolatedSession:
        model = ModelFile(trouble, "", delegate=Delegate("lib.so", {"device": device}), **more)
        sessions.append(IsolatedSession(model, OPENER, children=children))
        return sessions[-1]

    yield open_
    for session in sessions:
        session.close()


def test_models_of_one_accelerator_share_a_child_and_keep_their_tensors_apart(opened) -> None:
    a, b = opened("a"), opened("b")
    assert a.pid == b.pid
    first = a.infer(INPUT)["out"].copy()
    second = b.infer({"in": INPUT["in"] + 10})["out"]
    assert first.tolist() == [[255, 254, 253, 252]]
    assert second.tolist() == [[245, 244, 243, 242]]


def test_another_device_has_another_child(opened) -> None:
    assert opened("a", ":0").pid != opened("a", ":1").pid


def test_the_child_lives_until_its_last_session_is_closed(opened) -> None:
    a, b = opened("a"), opened("b")
    a.close()
    assert b.infer(INPUT)
    b.close()
    wait_for(lambda: gone(b.pid))


def test_a_child_that_died_is_replaced_for_the_next_session(opened) -> None:
    a = opened("die")
    with pytest.raises(InferenceLost, match="died of SIGSEGV"):
        a.infer(INPUT)
    b = opened("b")
    assert b.pid != a.pid
    assert b.infer(INPUT)


def test_a_hang_takes_all_sessions_of_the_child_along_and_each_is_told(opened) -> None:
    hanging, other = opened("hang", hang_s=0.3), opened("b")
    with pytest.raises(InferenceLost, match=r"gave no answer within 0.3 s"):
        hanging.infer(INPUT)
    with pytest.raises(InferenceLost, match="died of SIGKILL"):
        other.infer(INPUT)


def test_who_waits_for_another_model_is_told_to_wait_and_nothing_is_killed(opened) -> None:
    """The other one has said that it may take 5 s: it is no hang yet."""
    slow, quick = opened("slow"), opened("b", hang_s=0.1)
    thread = Thread(target=slow.infer, args=(INPUT,))
    thread.start()
    wait_for(lambda: slow._child.page.now()[0] == slow._number, what="the slow one is served")
    with pytest.raises(Busy, match=r"no turn within 0.1 s"):
        quick.infer(INPUT)
    thread.join()
    answered = quick.infer({"in": INPUT["in"] + 1}, 5.0)["out"]
    assert answered.tolist() == [[254, 253, 252, 251]]  # not the late answer to the request that was given up


def host(priority: int) -> Host:
    made = Host(None, -1, 1)
    made.priority = priority
    return made


def test_the_higher_priority_is_served_first_and_waiting_makes_up_for_it() -> None:
    now = time.monotonic()
    low, high = Job(host(1), Infer(1, 1.0), now), Job(host(8), Infer(1, 1.0), now)
    assert max([low, high], key=lambda job: job.urgency(now)) is high
    low.since_s = now - 1.0
    assert max([low, high], key=lambda job: job.urgency(now)) is low


def test_of_requests_that_wait_together_the_most_urgent_is_next(opened) -> None:
    slow, low, high = opened("slow"), opened("slow", priority=2), opened("slow", priority=9)
    order: list[str] = []

    def ask(session: IsolatedSession, name: str) -> None:
        session.infer(INPUT, 10.0)
        order.append(name)

    blocker = Thread(target=slow.infer, args=(INPUT, 10.0))
    blocker.start()
    wait_for(lambda: slow._child.page.now()[0] == slow._number)
    waiting = [Thread(target=ask, args=pair) for pair in ((low, "low"), (high, "high"))]
    for thread in waiting:
        thread.start()
    for thread in (blocker, *waiting):
        thread.join()
    assert order == ["high", "low"]


def test_an_interpreter_that_is_not_there_is_told() -> None:
    with pytest.raises(
        InputError, match=r"python = '/no/python': No such file or directory: expected the path"
    ):
        Child("/no/python")


@pytest.fixture
def bare_python(tmp_path):
    """An interpreter without numpy and msgspec: ours, blind for what is installed."""
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    script.chmod(0o755)
    return str(script)


def test_an_interpreter_without_what_the_child_needs_is_told_with_what_to_install(bare_python) -> None:
    with pytest.raises(InputError, match=r"cannot run models \(Python .*ModuleNotFoundError: .*pip install"):
        IsolatedSession(ModelFile("m", "", python=bare_python), OPENER)


def test_a_session_under_another_interpreter_says_its_version() -> None:
    session = IsolatedSession(ModelFile("m", "", python=sys.executable), OPENER)
    assert session.runtime == f"fake, child process, Python {sys.version.split()[0]}"
    session.close()


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_nothing_is_left_of_a_session_that_is_over() -> None:
    before = descriptors()
    IsolatedSession(ModelFile("nothing", ""), OPENER).close()
    with pytest.raises(BundleError, match="the file is broken"):
        IsolatedSession(ModelFile("fail-open", ""), OPENER)
    with pytest.raises(InputError, match="No such file"):
        IsolatedSession(ModelFile("nothing", "", python="/no/python"), OPENER)
    wait_for(lambda: descriptors() == before, what="descriptors")


def test_what_is_not_there_for_now_is_no_fault_of_the_model(monkeypatch) -> None:
    def full(*_: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("edgeinfer.engine.isolated.os.memfd_create", full)
    with pytest.raises(InferenceLost, match="no child process could be started: Too many open files"):
        IsolatedSession(ModelFile("nothing", ""), OPENER)
