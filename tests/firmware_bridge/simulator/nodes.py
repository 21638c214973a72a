"""Nodes for tests: two channels of counted rows, so that each row tells which one it is."""

from __future__ import annotations

import struct

from firmware_bridge.simulator import Firmware, Node, Stream
from firmware_bridge.simulator.node import channels


def counted(first: int, rows: int) -> bytes:
    """Row n is (n, -n), i16, wrapping."""
    return b"".join(
        struct.pack("<hh", (n + 2**15) % 2**16 - 2**15, -(n % 2**15)) for n in range(first, first + rows)
    )


def counting_node(name: str = "counter", rate_hz: float = 1000.0, rows: int = 50, **options) -> Node:
    stream = Stream(tuple(channels([("up", "m/s2"), ("down", "m/s2")], 3, 0.5, rate_hz)), counted, rows)
    return Node(Firmware(name, "1.4.0", "bench"), (stream,), **options)
