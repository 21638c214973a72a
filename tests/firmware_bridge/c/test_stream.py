"""A minute of 1 Mbit/s from firmware in an emulator: not one frame may be lost."""

from __future__ import annotations

import struct
import time

import pytest

from tests.firmware_bridge.c.wire import READINGS, STATUS, Talk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
SECONDS = 60
BITS_PER_BYTE = 10  # start, eight data bits, stop
STREAM_ID = b"\0"  # block 0: vibration


def test_1_mbit_per_second_for_a_minute_without_a_lost_frame(qemu, firmware):
    board = qemu("mps2-an385", firmware("node-cortexm", BOARD="mps2-an385") / "node.elf")
    talk = Talk(board.port)
    talk.hello()
    at_opening = talk.bad  # what stood half in the terminal when it was opened
    assert talk.command(3, struct.pack("<BI", 0, 16_000_000)) == 0  # 16 kHz, three axes
    assert talk.command(1) == 0
    numbers, wire_bytes, times = _listen(talk)
    counted = struct.unpack("<6I", talk.ask(STATUS).body)
    talk.close()
    span_s = (times[-1] - times[0]) / 1e6
    print(f"{wire_bytes * BITS_PER_BYTE / span_s / 1e6:.3f} Mbit/s over {span_s:.1f} s of the node's time")
    assert numbers == list(range(len(numbers)))
    assert talk.bad == at_opening
    assert counted == (0, 0, 0, 0, 0, 0)
    assert span_s >= SECONDS - 1
    assert wire_bytes * BITS_PER_BYTE / span_s >= 1e6


def _listen(talk: Talk) -> tuple[list[int], int, list[int]]:
    numbers, times, wire_bytes = [], [], 0
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for heard in talk.unasked + talk.hear(0.05):
            if heard.kind == READINGS and heard.body[:1] == STREAM_ID:
                number, at = struct.unpack_from("<II", heard.body, 1)
                numbers.append(number)
                times.append(at)
                wire_bytes += len(heard.body) + 11  # header, CRC, two of COBS, delimiter
        talk.unasked.clear()
    return numbers, wire_bytes, times
