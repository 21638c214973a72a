from __future__ import annotations

import socket

import pytest

from edgeinfer.runtime.systemd import Systemd


@pytest.fixture
def listener(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(5)
        yield sock


def test_words_arrive_one_a_line(listener, tmp_path):
    Systemd(notify_socket=str(tmp_path / "notify")).notify(READY="1", STATUS="deciding")
    assert listener.recv(1000) == b"READY=1\nSTATUS=deciding"


def test_an_abstract_socket_is_reached():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0edgeinfer-test-notify")
        sock.settimeout(5)
        Systemd(notify_socket="@edgeinfer-test-notify").notify(WATCHDOG="1")
        assert sock.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nothing_is_sent_and_nothing_fails():
    Systemd().notify(READY="1")
    Systemd(notify_socket="/nowhere/notify").notify(READY="1")


def test_the_environment_is_read_as_systemd_writes_it():
    env = {
        "NOTIFY_SOCKET": "/run/systemd/notify",
        "WATCHDOG_USEC": "30000000",
        "STATE_DIRECTORY": "/var/lib/edgeinfer:/var/lib/other",
        "RUNTIME_DIRECTORY": "/run/edgeinfer",
    }
    found = Systemd.from_environment(env)
    assert found.watchdog_s == 30.0
    assert str(found.state_dir) == "/var/lib/edgeinfer"
    assert str(found.runtime_dir) == "/run/edgeinfer"


def test_a_watchdog_meant_for_another_process_is_not_ours():
    assert Systemd.from_environment({"WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}).watchdog_s == 0.0
