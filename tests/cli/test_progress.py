"""The progress line: a bar where the total is known, megabytes where bytes are counted, silence where nobody looks."""

from __future__ import annotations

import os
import pty
import sys

import pytest

from edgeinfer.cli.progress import Progress
from tests.waiting import wait_for

WIPED = "\r\033[K"


def test_steps_of_a_total_are_a_bar() -> None:
    progress = Progress("golden", 4)
    progress.step(3)
    line = progress._line(progress._start + 1)
    assert line == f"golden [{'█' * 22}{'·' * 8}]  75% (3/s)"


def test_bytes_whose_total_comes_late_are_told_in_megabytes() -> None:
    progress = Progress("m.tflite", unit="bytes")
    progress.grow(1_500_000, 0)
    assert progress._line(progress._start + 1) == "m.tflite: 1.5 MB (1.5 MB/s)"
    progress.grow(1_500_000, 6_000_000)
    assert progress._line(progress._start + 1).endswith(" 50% (3.0 MB/s)")


def test_without_a_terminal_nothing_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("x", 2) as progress:
        progress._drawn -= 10
        progress.step()
    assert capsys.readouterr().err == ""


def test_on_a_terminal_it_is_drawn_and_wiped(monkeypatch: pytest.MonkeyPatch) -> None:
    reader, writer = pty.openpty()
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with Progress("x", 2) as progress:
            progress._drawn -= 10
            progress.step()
        shown: list[str] = []
        wait_for(lambda: shown.append(os.read(reader, 4096).decode()) or "".join(shown).endswith(WIPED))
        monkeypatch.undo()
    os.close(reader)
    assert "x [" in "".join(shown)
