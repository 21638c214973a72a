from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from firmware_bridge.flash import lock
from firmware_bridge.flash.errors import PackageError, PortBusyError
from firmware_bridge.simulator import Firmware, Line, Node

HOLDS = """
import sys
from pathlib import Path
from firmware_bridge.flash.lock import locked
with locked(sys.argv[1], Path(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def port(tmp_path):
    with Line([Node(Firmware("n", "1"))], tmp_path / "port") as line:
        yield line.port


@pytest.fixture
def other(port, tmp_path):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLDS, port, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_a_second_flasher_is_told_which_process_is_the_first(port, tmp_path, other):
    with pytest.raises(PortBusyError, match=rf"process {other.pid}\)"), lock.locked(port, tmp_path):
        pass
    assert lock.holder(port, tmp_path) == str(other.pid)


def test_the_lock_is_that_of_the_device_by_whatever_link(port, tmp_path, other):
    with pytest.raises(PortBusyError), lock.locked(os.path.realpath(port), tmp_path):
        pass


def test_a_flasher_that_dies_leaves_no_lock_behind(port, tmp_path, other):
    other.kill()
    other.wait()
    with lock.locked(port, tmp_path):
        assert lock.holder(port, tmp_path) == str(os.getpid())
    assert lock.holder(port, tmp_path) == ""


def test_no_such_port_is_the_users_mistake(tmp_path):
    with pytest.raises(PackageError, match="there is no such port") as told:
        lock.check(str(tmp_path / "none"))
    assert told.value.exit_code == 2


def test_who_is_about_to_close_the_port_gets_the_time_for_it(port):
    program = f"f = open({port!r}, 'rb', 0); print('open', flush=True); input(); f.close(); print('closed', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdin is not None
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(PortBusyError, match="nothing was written"):
            lock.wait_free(port, 0.0)
        threading.Timer(0.2, lambda: (holder.stdin.write(b"\n"), holder.stdin.flush())).start()
        lock.wait_free(port, 20.0)
        assert holder.stdout.readline() == b"closed\n"
        holder.kill()
