"""Our requests against simulated nodes: answers, refusals, noise, silence and a cable."""

from __future__ import annotations

import pytest

from firmware_bridge import boot_messages as boot
from firmware_bridge import messages as m
from firmware_bridge.flash import wire
from firmware_bridge.flash.errors import FlashError
from firmware_bridge.framing import Frame, wrap
from firmware_bridge.simulator import Firmware, Line, Node, Noise


@pytest.fixture
def node():
    return Node(Firmware("motor", "1.2.0", "uno", "9f2c", b"\xa5" * 100))


@pytest.fixture
def line(node, tmp_path):
    with Line([node], tmp_path / "port") as line:
        yield line


def test_a_node_says_what_it_runs(line):
    with wire.opened(line.port, 115_200) as to:
        found = to.hello(3.0)
    assert (found.board, found.name, found.version, found.build) == ("uno", "motor", "1.2.0", "9f2c")
    assert (found.length, found.bootloader) == (100, False)


def test_a_node_is_heard_over_a_line_that_loses_and_turns_bytes(line):
    line.spoil = Noise(flip=0.01, drop=0.01, insert=0.01, seed=4)
    with wire.opened(line.port, 115_200) as to:
        assert to.hello(10.0) is not None


def test_a_command_that_the_node_does_not_know_is_its_answer(line):
    with wire.opened(line.port, 115_200) as to:
        assert to.command(m.Order.ENTER_BOOTLOADER, m.magic_arguments()) == m.Result.UNKNOWN


def test_a_request_that_the_node_does_not_take_is_told(line):
    with wire.opened(line.port, 115_200) as to, pytest.raises(FlashError, match=r"0x10 \(NAK 1\)"):
        to.ask(boot.BootInfoRequest(0), boot.BootInfo)


@pytest.mark.slow
def test_a_silent_node_gives_nothing(line, node):
    node.silent = True
    with wire.opened(line.port, 115_200) as to:
        assert to.hello(0.5) is None
        with pytest.raises(FlashError, match="is the cable in"):
            to.command(m.Order.STOP)


def test_a_port_that_goes_away_is_told(line):
    with wire.opened(line.port, 115_200) as to:
        assert to.hello(3.0)
        line.unplug()
        with pytest.raises(FlashError, match="unplugged"):
            to.hello(3.0)


def test_a_port_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FlashError, match="there is no such port"), wire.opened(str(tmp_path / "x"), 115_200):
        pass


def test_a_hello_that_ends_in_its_middle_is_no_answer(tmp_path):
    class Torn:
        """Right frames with half a HELLO in them."""

        def __init__(self):
            self._out = b""

        def receive(self, data, now_ns):
            self._out = b"".join(wrap(Frame(1, 0, m.Hello.type, n, b"\1\1\0\2abc")) for n in range(256))

        def advance(self, now_ns): ...

        def due_ns(self):
            return 1 << 62

        def outgoing(self):
            out, self._out = self._out, b""
            return out

    with Line([Torn()], tmp_path / "port") as line, wire.opened(line.port, 115_200) as to:
        assert to.hello(0.5) is None
