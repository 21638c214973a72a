from __future__ import annotations

import socket
import stat
from threading import Thread

import pytest

from edgeinfer.commands.door import Door, ask
from edgeinfer.commands.table import Commands, Health, Reload
from edgeinfer.errors import EdgeinferError, InputError
from edgeinfer.runtime import health as board
from edgeinfer.runtime.supervisor import Spec, Supervisor
from edgeinfer.runtime.systemd import Systemd
from edgeinfer.testing.clock import FakeClock


def refuse(_command):
    raise InputError("config.toml:3 source.belt: unknown key")


@pytest.fixture
def door(tmp_path):
    path = tmp_path / "control.sock"
    supervisor = Supervisor(board.Health(FakeClock()), Systemd())
    commands = Commands({Health: lambda _: {"condition": "ok"}, Reload: refuse})
    supervisor.apply({"door": Spec(lambda: Door(path, commands, supervisor), "", -1)})
    thread = Thread(target=supervisor.run)
    thread.start()
    yield path
    supervisor.request_stop()
    thread.join(10)
    assert not path.exists()


def test_a_command_is_answered(door):
    assert ask(door, {"command": "health"}) == {"condition": "ok"}


def test_what_the_handler_refuses_reaches_the_asker_as_it_is(door):
    with pytest.raises(InputError, match="unknown key"):
        ask(door, {"command": "reload"})


@pytest.mark.parametrize(
    "wrong", [{"command": "explode"}, {"comand": "health"}, {"command": "health", "x": 1}, [1]]
)
def test_what_is_no_command_is_refused_with_an_example(door, wrong):
    with pytest.raises(InputError, match='"command": "health"'):
        ask(door, wrong)


def test_garbage_and_silent_clients_do_not_close_the_door(door):
    for noise in (b"\xff\x00\n", b"", b"{"):
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(door))
            client.sendall(noise)
    assert ask(door, {"command": "health"}) == {"condition": "ok"}


def test_only_the_owner_may_open_it(door):
    assert stat.S_IMODE(door.stat().st_mode) == 0o600


def test_nobody_there_is_told_with_what_to_do(tmp_path):
    with pytest.raises(EdgeinferError, match="is `edgeinfer run` running"):
        ask(tmp_path / "control.sock", {"command": "health"})


def test_a_path_too_long_for_a_socket_is_told(tmp_path):
    with pytest.raises(InputError, match="shorter"):
        Door(tmp_path / ("x" * 120), Commands({}), Supervisor(board.Health(FakeClock()), Systemd()))
