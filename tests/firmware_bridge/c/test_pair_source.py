"""The C library as two nodes of one pair, behind two sources of a daemon that share the port."""

from __future__ import annotations

import contextlib
import logging
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeinfer.commons import Commons
from edgeinfer.sources.serial_line import SharedLines
from firmware_bridge.simulator import Line
from tests.sources.nodes import At
from tests.waiting import wait_for

pytestmark = pytest.mark.slow  # needs a compiler


class CNode:
    """A talker that is a process."""

    def __init__(self, binary: Path, address: int) -> None:
        self.process = subprocess.Popen(
            [binary, "512", str(address), "real"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        os.set_blocking(self.process.stdout.fileno(), False)

    def receive(self, data: bytes, now_ns: int) -> None:
        self.process.stdin.write(data)

    def advance(self, now_ns: int) -> None:
        self._now_ns = now_ns

    def due_ns(self) -> int:
        return self._now_ns + 2_000_000  # its answers come when they come: the line looks often

    def outgoing(self) -> bytes:
        return self.process.stdout.read() or b""

    def end(self) -> int:
        with contextlib.suppress(OSError):
            self.process.stdin.close()
        code = self.process.wait(10)
        self.process.stdout.close()
        return code


@pytest.fixture
def nodes(pipe_node):
    made = [CNode(pipe_node, address) for address in (1, 2)]
    yield made
    assert [node.end() for node in made] == [0, 0], "a sanitizer found something"


def test_two_c_nodes_give_their_readings_and_what_they_say_to_the_source_that_asks_them(
    nodes, tmp_path, caplog
):
    caplog.set_level(logging.DEBUG)
    commons = Commons()
    commons.the(SharedLines).begin_s = 0.9  # a sanitized process on a busy machine
    with Line(nodes, tmp_path / "rs485") as line:
        sources = [At(f"n{a}", commons, port=line.port, edgelink={"address": a}) for a in (1, 2)]
        readers = [source.read() for source in sources]
        wait_for(lambda: all(len(reader.found) == 2 for reader in readers))
        wait_for(lambda: len([m for m in caplog.messages if "a text that is longer" in m]) == 2)
        wait_for(lambda: all("node.tx_dropped" in source.counters for source in sources))
        for reader in readers:
            reader.end()
    expected = np.frombuffer(b"abcdef", "<i2") * 0.5 - 1.0
    for source, reader in zip(sources, readers, strict=True):
        assert all((sample.values[:, 0] == expected).all() for sample in reader.found)
        assert [sample.channels for sample in reader.found] == [("x",), ("x",)]
        assert [sample.gap_before for sample in reader.found] == [False, False]
        assert source.counters["node.tx_dropped"] == 0
        assert reader.error is None
    assert {m.split(": ")[0] for m in caplog.messages} >= {"n1", "n2"}
