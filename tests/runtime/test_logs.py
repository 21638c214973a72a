from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edgeinfer.runtime.logs import is_journal
from edgeinfer.runtime.systemd import Systemd
from tests.runtime.test_journal import Journal

SAY = """
import logging, sys
from pathlib import Path
from edgeinfer.runtime import logs
from edgeinfer.runtime.systemd import Systemd
logs.set_up(Systemd.from_environment(), verbose=False, path=Path(sys.argv[1]))
for _ in range(10):
    logging.getLogger("edgeinfer").warning("lost")
"""


def run(path, stderr, **env):
    done = subprocess.run(
        [sys.executable, "-c", SAY, str(path)], stderr=stderr, env=os.environ | env, timeout=60, check=True
    )
    return (done.stderr or b"").decode()


def test_in_a_terminal_each_line_has_time_and_level_and_repeats_are_counted(tmp_path):
    lines = run(tmp_path / "none", subprocess.PIPE).splitlines()
    assert [line.split(maxsplit=2)[2] for line in lines[:3]] == ["WARNING lost"] * 3
    assert lines[3].endswith("WARNING lost (7 times more in 60 s)")


def test_the_journal_gets_fields_when_stderr_is_its_stream(tmp_path):
    journal = Journal(tmp_path / "socket")
    with (tmp_path / "stream").open("wb") as stream, journal.socket:
        status = os.fstat(stream.fileno())
        run(tmp_path / "socket", stream, JOURNAL_STREAM=f"{status.st_dev}:{status.st_ino}")
        found = [journal.next() for _ in range(4)]
    assert [entry["PRIORITY"] for entry in found] == ["4"] * 4
    assert found[3]["TIMES"] == "7"
    assert (tmp_path / "stream").read_bytes() == b""


def test_whoever_redirects_stderr_gets_the_log_there(tmp_path):
    journal = Journal(tmp_path / "socket")
    with journal.socket:
        assert "WARNING lost" in run(tmp_path / "socket", subprocess.PIPE, JOURNAL_STREAM="1:2")


@pytest.mark.parametrize("stream", ["", "0:0", "nonsense"])
def test_another_stream_is_no_journal(stream, tmp_path):
    with (tmp_path / "file").open("w") as file:
        assert not is_journal(stream, file.fileno())


def test_systemd_hands_the_stream_over():
    assert Systemd.from_environment({"JOURNAL_STREAM": "8:1234"}).journal_stream == "8:1234"
