import os
import termios
import tty

import pytest

from edgeinfer.clock import SystemClock
from edgeinfer.errors import InputError
from edgeinfer.sources.serial import Serial
from edgeinfer.testing.sources import Reports
from tests.sources.conftest import make
from tests.sources.reader import Reader
from tests.waiting import wait_for


class Node:
    """The other end of a pseudo-terminal."""

    def __init__(self):
        self.fd, self._slave = os.openpty()
        tty.setraw(self._slave)
        attributes = termios.tcgetattr(self._slave)
        attributes[2] |= termios.HUPCL
        termios.tcsetattr(self._slave, termios.TCSANOW, attributes)
        self.path = os.ttyname(self._slave)

    def _opened(self):
        """The source takes HUPCL away when it has opened the port and thrown away what had come before."""
        return not termios.tcgetattr(self._slave)[2] & termios.HUPCL

    def say(self, data):
        wait_for(self._opened)
        os.write(self.fd, data)

    def unplug(self):
        for fd in (self.fd, self._slave):
            if fd >= 0:
                os.close(fd)
        self.fd = self._slave = -1


@pytest.fixture
def node():
    made = Node()
    yield made
    made.unplug()


def source(path, reports=None, **options):
    lines = {"channels": ["t"]}
    written = {"port": path, "protocol": "lines", "lines": lines, "block_s": 5.0} | options
    return make(Serial, reports, clock=SystemClock(), **written)


def test_lines_of_a_node_become_readings_that_are_stamped_with_their_arrival(node):
    reader = Reader(source(node.path))
    node.say(b"half\n21.5\n22.5\n")
    wait_for(lambda: len(reader.found) == 2)
    reader.end()
    assert [s.values.tolist() for s in reader.found] == [[[21.5]], [[22.5]]]
    assert reader.found[0].channels == ("t",)
    assert [s.key for s in reader.found] == [("cam", 0), ("cam", 1)]
    assert 0 <= SystemClock().now().mono_ns - reader.found[0].at.mono_ns < 10**10


def test_an_unplugged_port_is_lost_at_once_and_after_replugging_a_gap_is_told(node, tmp_path):
    link = tmp_path / "by-id"
    link.symlink_to(node.path)
    serial, again = source(str(link)), Node()
    reader = Reader(serial)
    node.say(b"half\n1\n")
    wait_for(lambda: reader.found)
    node.unplug()
    wait_for(lambda: reader.error)
    assert "unplugged" in reader.error
    link.unlink()
    link.symlink_to(again.path)
    second = Reader(serial)
    again.say(b"half\n2\n3\n")
    wait_for(lambda: len(second.found) == 2)
    second.end()
    again.unplug()
    assert [s.gap_before for s in reader.found + second.found] == [False, True, False]


def test_a_port_that_is_not_there_is_told():
    reader = Reader(source("/dev/nowhere"))
    wait_for(lambda: reader.error)
    assert "/dev/nowhere: there is no such port" in reader.error


def test_a_busy_port_is_told_with_its_holder(node):
    first = Reader(source(node.path))
    node.say(b"half\n1\n")
    wait_for(lambda: first.found)
    second = Reader(source(node.path))
    wait_for(lambda: second.error)
    first.end()
    assert "is open in" in second.error
    assert str(os.getpid()) in second.error


def test_a_silent_node_is_lost_after_block_s(node):
    reader = Reader(source(node.path, block_s=0.2))
    wait_for(lambda: reader.error)
    assert "was silent for 0.2 s" in reader.error


def test_garbage_gives_no_reading_and_says_what_was_expected(node):
    reader = Reader(source(node.path, block_s=0.5))
    node.say(b"half\n\xff\xfe\xfd\n" * 3)
    wait_for(lambda: reader.error)
    assert "expected the protocol lines at 115200 baud" in reader.error
    assert reader.found == []


def test_loss_is_reported_by_channel(node):
    reports = Reports()
    reader = Reader(source(node.path, reports))
    node.say(b"half\n1\nbad\n2\n")
    wait_for(lambda: "loss" in reports.now)
    reader.end()
    assert "lost rows: t 1" in reports.now["loss"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"port": ""}, "port: expected a serial port"),
        ({"baud": 1}, "baud: expected"),
        ({"protocol": "line"}, "protocol: .*did you mean 'lines'"),
        ({"protocol": "struct"}, "lines: this table is read with"),
        ({"lines": {}}, "lines: channels: CSV needs"),
        ({"node": "press"}, "node: the protocol lines knows no names"),
        ({"block_s": 0}, "block_s: expected"),
    ],
)
def test_an_option_that_is_wrong_in_itself_is_refused_by_the_constructor(options, words):
    with pytest.raises(InputError, match=words):
        source(**{"path": "/dev/ttyUSB0"} | options)
