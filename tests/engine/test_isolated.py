"""A session in a child process: what happens when the child is in trouble."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.engine.isolated import IsolatedSession
from edgeinfer.errors import BundleError, InferenceLost
from edgeinfer.events import Instant
from edgeinfer.ports import ModelFile

OPENER = "edgeinfer.testing.engine:open_trouble"
INPUT = {"in": np.array([[0, 1, 2, 3]], np.uint8)}


@pytest.fixture
def opened():
    """Opens a session with a trouble, and closes it at the end."""
    sessions = []

    def open_(trouble: str, **limits: float) -> IsolatedSession:
        sessions.append(IsolatedSession(ModelFile(trouble, ""), OPENER, **limits))
        return sessions[-1]

    yield open_
    for session in sessions:
        session.close()


def gone(pid: int) -> bool:
    """Whether no process (or only a zombie that init will reap) has this number."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def within(s: float, condition) -> bool:
    end = time.monotonic() + s
    while not condition():
        if time.monotonic() > end:
            return False
        os.sched_yield()
    return True


def test_the_model_runs_in_another_process(opened) -> None:
    session = opened("nothing")
    outputs = session.infer(INPUT)
    assert outputs["out"].tolist() == [[255, 254, 253, 252]]
    assert outputs["pid"].tolist() == [session.pid] != [os.getpid()]


def test_an_output_of_unknown_shape_comes_whole_with_the_first_call(opened) -> None:
    session = opened("nothing")
    assert session.spec.output("pid").shape == ()
    assert [session.infer(INPUT)["pid"].shape for _ in range(2)] == [(1,), (1,)]


def test_a_child_that_hangs_is_killed_at_the_deadline(opened) -> None:
    session = opened("hang", infer_s=0.2)
    with pytest.raises(
        InferenceLost, match=r"hang: the child process gave no answer within 0.2 s and was killed"
    ):
        session.infer(INPUT)
    assert gone(session.pid)


@pytest.mark.parametrize("form", ["seconds", "instant"])
def test_a_call_may_have_a_deadline_of_its_own(opened, form) -> None:
    session = opened("hang")
    deadline = 0.1 if form == "seconds" else Instant("b", time.monotonic_ns() + 100_000_000, 0)
    with pytest.raises(InferenceLost, match="gave no answer"):
        session.infer(INPUT, deadline)


def test_a_deadline_that_has_passed_costs_no_child(opened) -> None:
    session = opened("nothing")
    with pytest.raises(InferenceLost, match="had passed before"):
        session.infer(INPUT, Instant("b", time.monotonic_ns() - 1, 0))
    assert session.infer(INPUT)


def test_a_child_that_dies_is_told_with_its_signal(opened) -> None:
    session = opened("die")
    with pytest.raises(InferenceLost, match="the child process died of SIGSEGV"):
        session.infer(INPUT)


def test_after_its_death_every_call_says_so_at_once(opened) -> None:
    session = opened("nothing")
    os.kill(session.pid, signal.SIGKILL)
    for _ in range(2):
        with pytest.raises(InferenceLost, match="died of SIGKILL"):
            session.infer(INPUT)


def test_a_failure_in_the_child_is_told_and_the_child_lives(opened) -> None:
    session = opened("fail")
    for _ in range(2):
        with pytest.raises(InferenceLost, match="the device is unplugged"):
            session.infer(INPUT)


def test_a_runtime_that_dies_of_the_file_is_a_bundle_error() -> None:
    with pytest.raises(BundleError, match="died of SIGSEGV while it opened the file"):
        IsolatedSession(ModelFile("die-open", ""), OPENER)


def test_a_runtime_that_hangs_on_the_file_is_a_bundle_error() -> None:
    with pytest.raises(BundleError, match=r"gave no answer within 1.5 s and was killed while it opened"):
        IsolatedSession(ModelFile("hang-open", ""), OPENER, open_s=1.5)


def test_what_the_opener_raises_arrives_as_it_is() -> None:
    with pytest.raises(BundleError, match="^the file is broken$"):
        IsolatedSession(ModelFile("fail-open", ""), OPENER)


def test_a_model_with_thousands_of_outputs_is_refused_in_words() -> None:
    with pytest.raises(BundleError, match="too many tensors for a child process"):
        IsolatedSession(ModelFile("crowd", ""), OPENER)


def test_closing_ends_the_child_and_may_be_done_twice(opened) -> None:
    session = opened("nothing")
    session.close()
    session.close()
    assert gone(session.pid)


def test_the_child_leaves_stopping_to_its_parent(opened) -> None:
    """Control-C and systemd's SIGTERM reach the whole group: the daemon must still be able to drain."""
    session = opened("nothing")
    session.infer(INPUT)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(session.pid, number)
    assert session.infer(INPUT)


PARENT = f"""
import sys
import numpy as np
from edgeinfer.engine.isolated import IsolatedSession
from edgeinfer.ports import ModelFile
session = IsolatedSession(ModelFile(sys.argv[1], ""), {OPENER!r})
print(session.pid, flush=True)
session.infer({{"in": np.zeros((1, 4), np.uint8)}}, 3600.0)
sys.stdin.read()
"""


@pytest.mark.parametrize("trouble", ["nothing", "hang"])
def test_a_child_dies_with_its_parent_even_while_it_hangs(trouble) -> None:
    command = [sys.executable, "-c", PARENT, trouble]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        pid = int(parent.stdout.readline())
        assert not gone(pid)
        parent.kill()
    assert within(5, lambda: gone(pid))
