import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from edgeinfer.errors import SourceLost
from edgeinfer.sources.command import Stopped, running
from tests.waiting import wait_for


def fill(command, count, timeout_s=10.0, stop=None):
    buffer = bytearray(count)
    command.fill(memoryview(buffer), timeout_s, stop or Event())
    return bytes(buffer)


def gone(pid: int) -> bool:
    """Ended; a zombie of a dead parent that nobody has collected yet counts."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_bytes_come_out_in_order():
    with running(["sh", "-c", "printf abc; sleep 0.05; printf def; sleep 9"]) as command:
        assert fill(command, 4) == b"abcd"
        assert fill(command, 2) == b"ef"


def test_a_program_that_is_not_there_is_lost_with_a_remedy():
    with (
        pytest.raises(SourceLost, match="no program 'no-such-vid' on this machine: install it"),
        running(["no-such-vid"]),
    ):
        pass


def test_the_package_of_a_known_program_is_named(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(SourceLost, match="apt install rpicam-apps"), running(["rpicam-vid"]):
        pass


def test_an_end_is_told_with_exit_code_part_and_last_words():
    script = "printf abc; echo first >&2; echo 'no cameras available' >&2; exit 255"
    with running(["sh", "-c", script]) as command:
        with pytest.raises(SourceLost) as caught:
            fill(command, 10)
    assert str(caught.value) == (
        'sh ended by itself (exit code 255), after 3 of the 10 bytes of a picture: "no cameras available"'
    )


def test_a_kill_from_outside_is_told():
    with running(["sleep", "60"]) as command:
        os.kill(command.pid, signal.SIGKILL)
        with pytest.raises(SourceLost, match="sleep was killed by signal SIGKILL"):
            fill(command, 1)


def test_silence_is_told_after_the_bound():
    with running(["sh", "-c", "printf ab; sleep 60"]) as command:
        with pytest.raises(SourceLost, match=r"gave no whole picture for 0\.3 s, after 2 of the 4 bytes"):
            fill(command, 4, 0.3)


def test_a_stop_ends_a_wait():
    stop = Event()
    stop.set()
    with running(["sleep", "60"]) as command, pytest.raises(Stopped):
        fill(command, 1, 60.0, stop)


def test_a_talkative_command_does_not_block_itself():
    script = "i=0; while [ $i -lt 5000 ]; do echo 'a line of forty bytes, give or take' >&2; i=$((i+1)); done; printf x; sleep 9"
    with running(["sh", "-c", script]) as command:
        assert fill(command, 1) == b"x"


def test_a_closed_stderr_is_no_end():
    with running(["sh", "-c", "exec 2>&-; sleep 0.05; printf x; sleep 9"]) as command:
        assert fill(command, 1) == b"x"


def test_waiting_counts_what_is_there():
    with running(["sh", "-c", "printf abcdef; sleep 9"]) as command:
        fill(command, 2)
        wait_for(lambda: command.waiting() == 4)


@pytest.mark.parametrize("how", ["trap '' TERM", "kill -STOP $$"])
def test_one_that_hears_no_signal_is_ended_all_the_same(how):
    with running(["sh", "-c", f"printf x; {how}; printf x; while :; do sleep 1; done"]) as command:
        fill(command, 1)
        pid = command.pid
    assert gone(pid)


def test_what_the_command_started_ends_with_it():
    with running(["sh", "-c", "sleep 300 & printf '%8d' $!; wait"]) as command:
        child = int(fill(command, 8))
    wait_for(lambda: gone(child))


def test_the_command_dies_with_the_daemon():
    code = (
        "import sys\n"
        "from edgeinfer.sources.command import running\n"
        "with running(['sleep', '300']) as command:\n"
        "    print(command.pid, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    daemon = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        pid = int(daemon.stdout.readline())
        wait_for(
            lambda: b"sleep" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
        )  # the leash is off
    finally:
        daemon.kill()
        daemon.communicate()
    wait_for(lambda: gone(pid))
