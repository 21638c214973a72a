from __future__ import annotations

import io
from contextlib import redirect_stderr

from edgeinfer.cli.firmware_bars import Bars, bar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_filled_by_its_share_and_never_beyond():
    assert bar(0.5).count("█") == 15
    assert bar(0.5).endswith(" 50%")
    assert bar(7.0) == bar(1.0)
    assert not bar(None).strip()


def test_every_board_has_a_line_of_its_own_that_is_redrawn():
    terminal = Terminal()
    with redirect_stderr(terminal), Bars(["/dev/ttyA", "/dev/ttyB"]) as bars:
        bars.tell("/dev/ttyA", "writing", 0.5)
        bars.tell("/dev/ttyB", "keeping what runs now", 0.1)
        last = terminal.getvalue().rpartition("\033[J")[2].splitlines()
    assert [line.split()[0] for line in last] == ["ttyA", "ttyB"]
    assert " 50% writing" in last[0]
    assert " 10% keeping" in last[1]
    assert terminal.getvalue().endswith("\033[2A\033[J"), "what is printed next stands where the bars stood"


def test_what_is_told_without_words_keeps_the_words_from_before():
    terminal = Terminal()
    with redirect_stderr(terminal), Bars(["p"]) as bars:
        bars.tell("p", "writing", 0.1)
        bars.tell("p", "", 0.9)
        bars.tell("p", "waiting", None)
    assert "waiting" in terminal.getvalue()


def test_into_a_file_goes_one_line_a_step(capsys):
    with Bars(["p", "q"]) as bars:
        bars.tell("p", "writing", 0.0)
        bars.tell("p", "", 0.5)
        bars.tell("q", "writing", 0.0)
    assert capsys.readouterr().err.splitlines() == ["p: writing", "q: writing"]
