"""A daemon reads a node, and somebody flashes that node: the port is lent, its rules say so, and it goes on."""

from __future__ import annotations

import json
import signal
import struct
import subprocess

import pytest

from edgeinfer.cli.firmware_lend import borrowed
from edgeinfer.cli.main import main
from edgeinfer.errors import EdgeinferError
from firmware_bridge.simulator import Stream
from firmware_bridge.simulator.node import channels
from tests.firmware_bridge.flash.bench import Bench
from tests.line.conftest import EDGEINFER
from tests.waiting import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

SIZE = 20_000
CONFIG = """
device = "press-07"
[source.tank]
kind = "serial"
port = "{port}"
block_s = 1.0
[rule.full]
kind = "threshold"
value = "level"
on_above = 80.0
[pipeline.level]
source = "tank"
rules = ["full"]
[sink.file]
kind = "jsonl"
path = "{out}"
"""


def full(first: int, rows: int) -> bytes:
    return struct.pack("<h", 100) * rows


@pytest.fixture
def bench(tmp_path):
    stream = Stream(tuple(channels([("level", "%")], 3, 1.0, 100.0)), full, 10)
    bench = Bench(tmp_path, size=SIZE, streams=(stream,), patience_s=3.0)
    with bench.line:
        assert bench.flash("1.0.0").result == "flashed"
        yield bench


@pytest.fixture
def told(tmp_path):
    """`told()`: the states of the rule so far, with their reasons."""

    def read() -> list[tuple[str, str]]:
        file = tmp_path / "out.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(one["state"], one["details"].get("reason", "")) for one in map(json.loads, lines)]

    return read


@pytest.fixture
def run(daemon, bench, tmp_path, told):
    run = daemon(CONFIG.format(port=bench.port, out=tmp_path / "out.jsonl"))
    wait_for(lambda: [state for state, _ in told()] == ["on"], 20, "it does not read the node")
    return run


def words(bench, run, *more) -> list[str]:
    file = bench.pack("2.0.0")
    place = ["--port", bench.port, "--config", str(run.path), "--wait", "2", *more]
    return ["firmware", "flash", str(file), *place]


def started(bench, run, *more) -> subprocess.Popen[bytes]:
    with (bench.folder / "flasher.log").open("wb") as log:
        return subprocess.Popen([*EDGEINFER, *words(bench, run, *more)], stdout=log, stderr=log)


def test_the_daemon_lends_its_port_says_why_its_rule_is_unknown_and_goes_on_afterwards(
    bench, run, told, capsys
):
    assert main(words(bench, run)) == 0
    assert "flashed: node 2.0.0" in capsys.readouterr().out
    wait_for(lambda: [state for state, _ in told()] == ["on", "unknown", "on"], 20, str(told()))
    assert "lent to edgeinfer firmware flash" in told()[1][1]
    assert bench.board.runs == "2.0.0"
    run.wait_post("source.tank", "ok")
    log = [json.loads(line) for line in (run.state / "firmware" / "journal.jsonl").read_text().splitlines()]
    assert next(r for r in log if r["step"] == "borrow")["from"] == "tank"
    assert run.stop() == 0


def test_a_flasher_that_was_killed_loses_the_port_when_its_lease_runs_out(bench, run, told):
    flasher = started(bench, run, "--lease", "2")

    def kill(count: int) -> None:
        if count > SIZE / 2:
            bench.board.wrote = lambda _count: None
            flasher.kill()

    bench.board.wrote = kill
    assert flasher.wait(30) == -signal.SIGKILL
    assert "lent to" in run.post("source.tank")["reason"]
    wait_for(
        lambda: "lent to" not in run.post("source.tank").get("reason", ""), 15, "the lease does not run out"
    )
    wait_for(lambda: told()[-1][0] == "on", 20, str(told()))
    assert bench.board.runs == "1.0.0"
    assert main([*words(bench, run), "--resume"]) == 0
    wait_for(lambda: run.post("source.tank")["condition"] == "ok", 20)


def test_ctrl_c_gives_the_port_back_at_once(bench, run, told):
    flasher = started(bench, run)
    log = bench.folder / "flasher.log"

    def stop(count: int) -> None:
        if count > SIZE / 2:
            bench.board.wrote = lambda _count: None
            flasher.send_signal(signal.SIGINT)
            wait_for(lambda: "stopping" in log.read_text(), 1.5)

    bench.board.wrote = stop
    assert flasher.wait(30) == 1
    assert "now: what it ran before: node 1.0.0" in log.read_text()
    wait_for(lambda: told()[-1][0] == "on", 20, str(told()))


def test_a_board_that_was_refused_goes_back_to_the_daemon(bench, run, told, capsys):
    file = bench.pack("2.0.0", board="nrf52dk")
    assert main(["firmware", "flash", str(file), "--port", bench.port, "--config", str(run.path)]) == 2
    assert "the image is for nrf52dk" in capsys.readouterr().out
    wait_for(lambda: [state for state, _ in told()] == ["on", "unknown", "on"], 20, str(told()))


def test_who_does_not_know_the_daemon_is_told_that_it_has_the_port(bench, run, capsys):
    file = bench.pack("2.0.0")
    code = main(["firmware", "flash", str(file), "--port", bench.port, "--state", str(bench.state)])
    assert code == 1
    said = capsys.readouterr().out
    assert f"(process {run.process.pid})" in said
    assert said.count("nothing was written") == 1
    assert bench.board.runs == "1.0.0"


def test_a_daemon_that_is_restarted_meanwhile_learns_that_its_port_is_lent(bench, run):
    def reason() -> str:
        try:
            return run.post("source.tank").get("reason", "")
        except (EdgeinferError, KeyError):  # it is not there yet
            return ""

    with borrowed(bench.port, run.state / "control.sock") as owner:
        assert owner == "tank"
        run.kill()
        run.start()
        wait_for(lambda: "lent to" in reason(), 30, "it reads a port that is being flashed")
    wait_for(lambda: run.post("source.tank")["condition"] == "ok", 20)
