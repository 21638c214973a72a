"""The node's clock as the host keeps it, against a second clock that is really another one: the emulated board's.

Round trips that the host's clock model never sees say where the board's clock stands: to half of what they took.
"""

from __future__ import annotations

import struct
import subprocess
import time
from dataclasses import dataclass, field
from statistics import median

import pytest

from firmware_bridge.clock import NodeClock
from tests.firmware_bridge.c.wire import TIME, Talk
from tests.fixtures.emulators import tool

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
S = 1_000_000_000
SECONDS = 40
TWO_MS = 2_000_000


@dataclass
class Watch:
    """Asks for the time in the link's rhythm for the model, and ten times a second to see whether it is right."""

    talk: Talk
    clock: NodeClock = field(default_factory=NodeClock)
    off_ns: list[tuple[int, int]] = field(
        default_factory=list
    )  # (half of the trip, how far the model was off)

    def exchange(self) -> tuple[int, int, int, int]:
        asked = time.monotonic_ns()
        _, received, sent = struct.unpack("<III", self.talk.ask(TIME, b"abcd", again_s=5.0).body)
        return asked, time.monotonic_ns(), received, sent

    def look(self) -> None:
        asked, answered, received, sent = self.exchange()
        there = self.clock.host_ns(received)
        assert there is not None
        rest_ns = ((sent - received) & 0xFFFFFFFF) * 1000
        self.off_ns.append(
            ((answered - asked - rest_ns) // 2, abs(there - (asked + answered - rest_ns) // 2))
        )

    def run(self, seconds: float) -> None:
        start, taught = time.monotonic_ns(), -S
        while (now := time.monotonic_ns()) < start + seconds * S:
            if now - taught >= (S // 4 if self.clock.exchanges < 8 else 2 * S):
                self.clock.add(*self.exchange())
                taught = now
            if (
                self.clock.exchanges >= 8
            ):  # the link's first two seconds; until then half of one round trip is the bound
                self.look()
            self.talk.unasked += self.talk.hear(0.1)

    def proven(self) -> list[int]:
        """What the model was off at the quickest quarter of the looks: those can tell two milliseconds apart."""
        return [off for _, off in sorted(self.off_ns)[: len(self.off_ns) // 4]]


def test_qemus_clock_is_right_within_2_ms_while_it_streams(qemu, firmware):
    board = qemu("mps2-an385", firmware("node-cortexm", BOARD="mps2-an385") / "node.elf")
    watch = Watch(Talk(board.port))
    watch.talk.hello()
    assert watch.talk.command(1) == 0
    watch.run(SECONDS)
    report(watch)
    assert watch.clock.steps == 0
    assert max(watch.proven()) <= TWO_MS


def test_simavrs_clock_is_right_within_2_ms_at_115200_baud_while_it_streams(unosim, firmware):
    """simavr sends bytes no faster than the line does, and keeps to 16 MHz by sleeping.

    On a busy host its clock itself stands still for milliseconds and catches up, which no line can follow: so the median.
    """
    built, board = firmware("node-avr"), unosim()
    words = "-q -q -c arduino -p m328p -b 115200 -D -P".split()
    subprocess.run(
        [tool("avrdude"), *words, board.port, "-U", f"flash:w:{built / 'node.hex'}:i"],
        check=True,
        capture_output=True,
    )
    watch = Watch(Talk(board.port))
    watch.talk.hello()
    assert watch.talk.command(1) == 0
    watch.run(SECONDS)
    report(watch)
    assert median(watch.proven()) <= TWO_MS


def report(watch: Watch) -> None:
    offs, trips = sorted(watch.proven()), sorted(2 * half for half, _ in watch.off_ns)
    watch.talk.close()
    print(
        f"{len(watch.off_ns)} looks; trip {trips[0] / 1e6:.2f} to {trips[-1] / 1e6:.2f} ms; off by "
        f"{offs[len(offs) // 2] / 1e6:.2f} (median), {offs[-1] / 1e6:.2f} ms (most); {watch.clock.drift_ppm:.0f} ppm"
    )
