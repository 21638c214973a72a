"""The port on a real pseudo-terminal, opened by the real pyserial."""

from __future__ import annotations

import os
import pty
import tty

import pytest

from firmware_bridge.errors import PortError, PortLostError
from firmware_bridge.port import Port


@pytest.fixture
def ends():
    master, slave = pty.openpty()
    tty.setraw(slave)
    name = os.ttyname(slave)
    os.close(slave)
    return master, name


def test_bytes_go_both_ways(ends):
    master, name = ends
    with Port(name) as port:
        port.write(b"\0ask")
        assert os.read(master, 100) == b"\0ask"
        os.write(master, b"answer\0")
        assert port.read(2.0) == b"answer\0"
        assert port.read(0.0) == b""
    os.close(master)


def test_a_cable_that_is_pulled_is_told_as_a_lost_port(ends):
    master, name = ends
    with Port(name) as port:
        os.close(master)
        with pytest.raises(PortLostError, match="went away"):
            port.read(2.0)


def test_an_unknown_port_is_told_with_those_that_are():
    with pytest.raises(PortError, match="there is no such port; those that are"):
        Port("/dev/ttyNONE")
