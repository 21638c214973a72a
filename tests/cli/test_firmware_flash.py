"""`edgeinfer firmware flash` against simulated boards: what a technician types, sees, pulls and kills."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from edgeinfer.cli.main import main
from tests.firmware_bridge.flash.bench import Bench
from tests.waiting import wait_for

EDGEINFER = [sys.executable, "-m", "edgeinfer"]
SIZE = 20_000


@pytest.fixture
def bench(tmp_path):
    bench = Bench(tmp_path, size=SIZE)
    with bench.line:
        yield bench


def words(bench, *more) -> list[str]:
    return [
        "firmware",
        "flash",
        *map(str, more),
        "--port",
        bench.port,
        "--state",
        str(bench.state),
        "--wait",
        "1",
    ]


def start(bench, *more) -> subprocess.Popen[str]:
    command = [*EDGEINFER, *words(bench, *more)]
    with (bench.folder / "stderr").open("w") as shown:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=shown, text=True)


def in_the_middle(bench, then, at: float = 0.5) -> None:
    """Has `then` happen once, before the board answers to the write that reaches this share of the image."""

    def wrote(count: int) -> None:
        if count >= at * SIZE:
            bench.board.wrote = lambda _count: None
            then()

    bench.board.wrote = wrote


def test_it_says_what_was_flashed_and_what_runs(bench, capsys):
    assert main(words(bench, bench.pack("1.0.0"))) == 0
    said = capsys.readouterr()
    assert "flashed: node 1.0.0 for microbit; now: the new image: node 1.0.0 on microbit" in said.out
    assert "waiting for the new image's HELLO" in said.err


def test_a_program_reads_the_verdict_as_json(bench, capsys):
    assert main([*words(bench, bench.pack("1.0.0")), "--json"]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert (verdict["result"], verdict["proof"]) == ("flashed", "image")


def test_several_boards_are_flashed_side_by_side_and_one_that_fails_hides_no_other(tmp_path, capsys):
    with ExitStack() as lines:
        benches = [Bench(tmp_path, f"port{n}") for n in range(3)]
        for bench in benches:
            lines.enter_context(bench.line)
        bad = benches[1]
        bad.board.wrote = lambda _count: bad.line.unplug()
        ports = [word for bench in benches for word in ("--port", bench.port)]
        file = str(benches[0].pack("1.0.0"))
        code = main(["firmware", "flash", file, *ports, "--state", str(benches[0].state), "--wait", "1"])
        lines_said = capsys.readouterr().out.splitlines()
        assert code == 1, lines_said
        assert [line.split(": ")[1] for line in lines_said] == ["flashed", "failed", "flashed"], lines_said
        assert [bench.board.runs for bench in benches] == ["1.0.0", "bootloader", "1.0.0"]


def test_the_same_port_twice_is_the_users_mistake(bench, capsys):
    assert main([*words(bench, bench.pack("1.0.0")), "--port", bench.port]) == 2
    assert "given twice" in capsys.readouterr().err


def test_a_failed_run_is_resumed_without_naming_the_package(bench, capsys):
    assert main(words(bench, bench.pack("1.0.0"))) == 0
    in_the_middle(bench, bench.line.unplug, at=0.0)
    assert main(words(bench, bench.pack("2.0.0"))) == 1
    bench.line.replug()
    (bench.folder / "2.0.0-runs.efw").unlink()
    assert main(words(bench, "--resume")) == 0
    assert bench.runs_whole("2.0.0")
    assert "nothing to resume" not in capsys.readouterr().err
    assert main(words(bench, "--resume")) == 2


@pytest.mark.slow
@pytest.mark.parametrize("at", [n / 10 for n in range(10)])
def test_a_flasher_that_is_killed_anywhere_leaves_a_bootloader_and_a_run_to_resume(bench, at, capsys):
    assert bench.flash("1.0.0").result == "flashed"
    flasher = start(bench, bench.pack("2.0.0"))
    in_the_middle(bench, flasher.kill, at)
    flasher.communicate(timeout=60)
    assert flasher.returncode == -signal.SIGKILL
    assert main(["firmware", "info", bench.port, "--state", str(bench.state)]) == 0
    assert "bootloader" in capsys.readouterr().out
    assert main(["firmware", "history", "--state", str(bench.state)]) == 0
    assert "broken off at write" in capsys.readouterr().out
    bench.press_reset()
    assert bench.board.runs == "1.0.0"
    assert main(words(bench, "--resume")) == 0
    bench.power_cycle()
    assert bench.board.runs == "2.0.0"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "count", "result"),
    [
        (signal.SIGINT, 1, "rolled back"),
        (signal.SIGTERM, 1, "rolled back"),
        (signal.SIGINT, 2, "failed"),
    ],
)
def test_ctrl_c_says_what_the_board_runs_and_gives_the_port_back(bench, number, count, result):
    assert bench.flash("1.0.0").result == "flashed"
    flasher = start(bench, bench.pack("2.0.0"))
    shown = bench.folder / "stderr"

    def ask_to_stop() -> None:
        for n in range(1, count + 1):
            flasher.send_signal(number)
            wait_for(lambda n=n: shown.read_text().count("stopping") == n, 1.5, shown.read_text())

    in_the_middle(bench, ask_to_stop)
    said, _ = flasher.communicate(timeout=60)
    assert flasher.returncode == 1, shown.read_text()
    assert f": {result}: " in said
    assert ("now: what it ran before: node 1.0.0" in said) == (count == 1)
    assert ("only its bootloader" in said) == (count == 2)
    assert bench.flash("2.0.0").result == "flashed"


def test_a_port_that_another_program_has_open_is_told_with_its_name_and_nothing_is_written(bench, capsys):
    file = bench.pack("1.0.0")
    holder = subprocess.Popen(
        [sys.executable, "-c", f"f=open({bench.port!r},'rb',0); print(1,flush=True); f.read()"],
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline()
        assert main(words(bench, file)) == 1
        said = capsys.readouterr().out
        assert f"(process {holder.pid})" in said
        assert said.count("nothing was written") == 1
    finally:
        holder.kill()
        holder.communicate()
    assert main(words(bench, file)) == 0


def test_a_second_flasher_is_told_which_one_has_the_port(bench, capsys):
    from firmware_bridge.flash.lock import locked

    file = bench.pack("1.0.0")
    with locked(bench.port, bench.state):
        assert main(words(bench, file)) == 1
    said = capsys.readouterr().out
    assert f"another flasher (process {os.getpid()})" in said
    assert said.count("nothing was written") == 1


@pytest.mark.slow
def test_a_board_that_speaks_something_else_is_told(tmp_path, capsys):
    from firmware_bridge.simulator import Line

    class Chatter:
        """Somebody else's firmware: lines of text, whatever is asked."""

        def receive(self, data, now_ns): ...
        def advance(self, now_ns): ...
        def due_ns(self):
            return 0

        def outgoing(self):
            return b"t=23.5\r\n"

    bench = Bench(tmp_path)
    bench.line.close()
    with Line([Chatter()], tmp_path / "port"):
        assert main(words(bench, bench.pack("1.0.0"))) == 1
    said = capsys.readouterr().out
    assert "neither our firmware nor a bootloader answers" in said
    assert said.count("nothing was written") == 1


def test_a_port_without_permission_is_told_with_the_group_that_is_missing(bench):
    file, changes = bench.pack("1.0.0"), bench.board.flash.changes
    Path(bench.port).chmod(0)
    # root is above permissions until it gives that up
    as_user = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*as_user, *EDGEINFER, *words(bench, file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    group = Path(bench.port).group()
    assert f"it belongs to the group {group}" in done.stdout
    assert f"usermod -aG {group}" in done.stdout
    assert done.stdout.count("nothing was written") == 1
    assert bench.board.flash.changes == changes


def test_an_image_for_another_board_is_the_users_mistake(bench, capsys):
    assert main(words(bench, bench.pack("1.0.0"))) == 0
    changes = bench.board.flash.changes
    assert main(words(bench, bench.pack("2.0.0", board="nrf52dk"))) == 2
    said = capsys.readouterr().out
    assert "the image is for nrf52dk" in said
    assert said.count("nothing was written") == 1
    assert bench.board.flash.changes == changes


def test_a_node_of_a_later_protocol_is_told_with_both_versions(bench, capsys):
    assert main(words(bench, bench.pack("1.0.0"))) == 0
    bench.board.versions = (2, 3)
    bench.press_reset()
    changes = bench.board.flash.changes
    assert main(words(bench, bench.pack("2.0.0"))) == 1
    said = capsys.readouterr().out
    assert (
        "the node speaks version 2 to 3 of the protocol, this program version 1: update this program" in said
    )
    assert said.count("nothing was written") == 1
    assert bench.board.flash.changes == changes
    assert main(["firmware", "info", bench.port]) == 1
    assert "version 2 to 3" in capsys.readouterr().err


def test_a_node_whose_image_is_neither_the_new_nor_the_old_one_is_doubted(tmp_path, capsys):
    bench = Bench(tmp_path)
    with bench.line:
        file = bench.pack("2.0.0")
        words = ["firmware", "info", bench.port, "--state", str(bench.state)]
        assert bench.flash("1.0.0").result == "flashed"
        assert main(words) == 0
        assert "doubt" not in capsys.readouterr().out, "the last run came to its end"
        bench.journal.write("b", bench.port, "keep", "ok", what="node 2.0.0 for microbit", package=str(file))
        bench.journal.write("b", bench.port, "write", "begun")
        assert main(words) == 0
        said = capsys.readouterr().out
        assert "node 1.0.0 on microbit" in said
        assert "probably half of it" in said
