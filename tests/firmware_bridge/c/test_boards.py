"""The example firmware on emulated boards: it greets, describes, streams, answers, and survives noise."""

from __future__ import annotations

import random
import struct
import subprocess
import zlib

import pytest

from tests.firmware_bridge.c.wire import DESCRIBE, STATUS, TIME, Talk, texts
from tests.fixtures.emulators import tool
from tests.waiting import wait_for

pytestmark = pytest.mark.slow  # needs compilers and emulators
MACHINES = ("mps2-an385", "microbit")


@pytest.fixture(params=MACHINES)
def board(request, qemu, firmware):
    built = firmware("node-cortexm", BOARD=request.param)
    board = qemu(request.param, built / "node.elf")
    board.image = (built / "node.bin").read_bytes()
    board.name = request.param
    return board


@pytest.fixture
def uno(unosim, firmware):
    built = firmware("node-avr")
    board = unosim()
    flash = f"-U flash:w:{built / 'node.hex'}:i".split()
    done = subprocess.run(
        [tool("avrdude"), *"-q -q -c arduino -p m328p -b 115200 -D -P".split(), board.port, *flash],
        check=False,
        capture_output=True,
        text=True,
    )
    assert not done.returncode, done.stderr
    board.image, board.name = (built / "node.bin").read_bytes(), "uno"
    return board


@pytest.fixture
def talk(board):
    talk = Talk(board.port)
    yield talk
    talk.close()


@pytest.fixture
def uno_talk(uno):
    talk = Talk(uno.port)
    yield talk
    talk.close()


def collect(talk: Talk, block: int, count: int) -> list[tuple[int, int, int, bytes]]:
    wait_for(
        lambda: talk.unasked.extend(talk.hear(0.05)) or len(talk.readings(block)) >= count,
        20.0,
        f"{count} blocks",
    )
    return talk.readings(block)


def test_it_greets_with_the_length_and_crc_of_its_own_flash(board, talk):
    hello = talk.hello()
    assert (hello.board, hello.name, hello.version) == (board.name, "vibration", "1.0.0")
    assert (hello.length, hello.crc32) == (len(board.image), zlib.crc32(board.image))


def test_it_describes_its_channels(talk):
    talk.hello()
    bodies = [talk.ask(DESCRIBE, bytes((n,))).body for n in range(4)]
    assert [texts(b[16:]) for b in bodies] == [
        ["x", "m/s2"],
        ["y", "m/s2"],
        ["z", "m/s2"],
        ["temperature", "°C"],
    ]


def test_it_streams_blocks_without_a_gap_with_even_times(talk):
    talk.hello()
    assert talk.command(1) == 0
    at_opening = talk.bad  # what stood half in the terminal when it was opened
    blocks = collect(talk, 0, 40)
    assert [number for number, *_ in blocks] == list(range(len(blocks)))
    assert {b[1] - a[1] for a, b in zip(blocks, blocks[1:], strict=False)} == {50_000}
    assert {(rows, len(values)) for _, _, rows, values in blocks} == {(80, 480)}
    assert talk.bad == at_opening


def test_set_rate_is_told_by_describe_and_felt_in_the_times(talk):
    talk.hello()
    assert talk.command(3, struct.pack("<BI", 0, 3_200_000)) == 0
    assert struct.unpack_from("<I", talk.ask(DESCRIBE, b"\0").body, 12) == (3_200_000,)
    assert talk.command(1) == 0
    blocks = collect(talk, 0, 10)
    assert {b[1] - a[1] for a, b in zip(blocks, blocks[1:], strict=False)} == {25_000}


def test_a_reboot_gives_another_boot_id(talk):
    before = talk.hello()
    assert talk.command(4) == 0
    wait_for(lambda: talk.hello().boot_id != before.boot_id, 10.0)
    assert talk.hello().uptime_ms < 10_000


def test_the_reset_button_gives_another_boot_id(board, talk):
    before = talk.hello()
    board.reset()
    wait_for(lambda: talk.hello().boot_id != before.boot_id, 10.0)


def test_it_answers_after_noise_and_counts_it(talk):
    talk.hello()
    rng = random.Random(7)
    for _ in range(20):
        talk.write(rng.randbytes(200))
        talk.ask(TIME, b"\0\0\0\0")
    counted = struct.unpack("<6I", talk.ask(STATUS).body)
    assert counted[0] + counted[1] > 0


def test_the_uno_greets_at_115200_under_optiboot_with_the_crc_of_its_flash(uno, uno_talk):
    hello = uno_talk.hello()
    assert (hello.board, hello.name, hello.max_frame) == ("uno", "vibration", 96)
    assert (hello.length, hello.crc32) == (len(uno.image), zlib.crc32(uno.image))
    assert uno.flash.read_bytes()[: len(uno.image)] == uno.image


def test_the_uno_streams_without_a_gap(uno_talk):
    uno_talk.hello()
    assert uno_talk.command(1) == 0
    at_opening = uno_talk.bad  # what stood half in the terminal when it was opened
    blocks = collect(uno_talk, 0, 20)
    assert [number for number, *_ in blocks] == list(range(len(blocks)))
    assert {b[1] - a[1] for a, b in zip(blocks, blocks[1:], strict=False)} == {100_000}
    assert uno_talk.bad == at_opening


def test_opening_the_unos_port_resets_it(uno):
    first = Talk(uno.port)
    before = first.hello()
    first.close()
    again = Talk(uno.port)
    assert again.hello().boot_id == before.boot_id + 1
    again.close()


def test_a_blank_uno_is_silent_but_its_bootloader_answers(unosim):
    board = unosim()
    done = subprocess.run(
        [tool("avrdude"), *"-q -q -c arduino -p m328p -b 115200 -n -P".split(), board.port],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    talk = Talk(board.port)
    with pytest.raises(AssertionError, match="no answer"):
        talk.hello(timeout_s=3.0)
    talk.close()
