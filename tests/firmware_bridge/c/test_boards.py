"""The example firmware on emulated boards: it greets, describes, streams, answers, and survives noise."""

from __future__ import annotations

import itertools
import random
import struct
import subprocess
import time
import zlib

import pytest

from tests.firmware_bridge.c.wire import (
    COMMAND,
    DESCRIBE,
    HELLO,
    LOG,
    NAK,
    POLL,
    READINGS,
    STATUS,
    TIME,
    Heard,
    Hello,
    Talk,
    frame,
    texts,
)
from tests.fixtures.emulators import tool
from tests.waiting import wait_for

pytestmark = pytest.mark.slow  # needs compilers and emulators
MACHINES = ("mps2-an385", "microbit")
UNKNOWN, ARGUMENT = 1, 2  # results of a command
STREAMING, POLLED = 4, 8  # flags of HELLO


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


def test_status_counts_what_was_damaged_and_nothing_else(talk):
    talk.hello()
    before = struct.unpack("<6I", talk.ask(STATUS).body)
    whole = frame(TIME, 200, b"abcd")
    talk.write(b"\0" + whole[:6] + bytes([whole[6] ^ 0x20]) + whole[7:])  # one bit behind the stuffing
    talk.write(b"\5\1\0")  # no COBS
    after = struct.unpack("<6I", talk.ask(STATUS).body)
    assert [b - a for a, b in zip(before, after, strict=True)] == [1, 1, 0, 0, 0, 0]


def test_a_command_that_comes_again_is_answered_but_not_done_again(talk):
    talk.hello()
    start, stop = (struct.pack("<HB", ident, order) for ident, order in ((500, 1), (501, 2)))
    assert talk.ask(COMMAND, start).body[3] == 0
    assert [talk.ask(COMMAND, stop).body for _ in range(3)] == [stop + b"\0"] * 3
    assert talk.hello().flags & STREAMING == 0
    assert struct.unpack("<6I", talk.ask(STATUS).body)[5] == 2


def test_the_answer_to_a_repeated_command_is_the_first_ones_whatever_the_repeat_says(talk):
    talk.hello()
    first = talk.ask(COMMAND, struct.pack("<HBBI", 7, 3, 0, 800_000)).body
    assert talk.ask(COMMAND, struct.pack("<HBBI", 7, 3, 0, 3_200_000)).body == first
    assert struct.unpack_from("<I", talk.ask(DESCRIBE, b"\0").body, 12) == (800_000,)


def test_a_node_without_a_bootloader_does_not_know_the_command_and_stays(talk):
    before = talk.hello()
    assert talk.command(5, struct.pack("<I", 0xB007106D)) == UNKNOWN
    assert talk.hello().boot_id == before.boot_id


def test_what_it_refuses_it_explains_in_a_log(talk):
    talk.hello()
    assert talk.command(3, struct.pack("<BI", 0, 999)) == ARGUMENT
    logs = [h.body for h in talk.unasked if h.kind == LOG]
    assert [(body[0], texts(body[1:])) for body in logs] == [(3, ["set_rate: 1 Hz to 20 kHz"])]


def poll(talk: Talk, sequence: int, node: int) -> Heard:
    """What the node says to a POLL; more than one frame, or one that nobody asked for, fails the test."""
    heard: list[Heard] = []
    talk.write(frame(POLL, sequence, node=node))
    wait_for(lambda: heard.extend(talk.hear(0.05)) or heard, 10.0, "an answer to POLL")
    assert [(h.node, h.sequence) for h in heard] == [(node, sequence)]
    return heard[0]


def wait_quiet(talk: Talk) -> None:
    """A board that has just started answers each repeat of a request that it slept through."""
    silent: list[bool] = []
    wait_for(
        lambda: silent.append(not talk.hear(0.05)) or (len(silent) > 9 and all(silent[-10:])), 10.0, "silence"
    )


def test_a_node_with_an_address_speaks_only_when_polled_and_gives_its_oldest_block(qemu, firmware):
    board = qemu("microbit", firmware("node-cortexm", BOARD="microbit", ADDRESS=9) / "node.elf")
    talk = Talk(board.port)
    assert Hello.of(talk.ask(HELLO, b"\1\1", node=9).body).flags & POLLED
    assert talk.ask(COMMAND, struct.pack("<HB", 1, 1), node=9).body[3] == 0
    end, said = time.monotonic() + 3.0, []
    while time.monotonic() < end:
        assert talk.hear(0.01) == []
        said.append(poll(talk, len(said) % 255 + 1, 9))
    talk.close()
    assert {h.kind for h in said} == {READINGS, NAK}
    assert {h.body for h in said if h.kind == NAK} == {bytes((POLL, 4))}
    blocks = [struct.unpack_from("<BIIH", h.body) for h in said if h.kind == READINGS and h.body[0] == 0]
    assert len(blocks) > 10
    for before, after in zip(blocks, blocks[1:], strict=False):
        assert after[2] - before[2] == (after[1] - before[1]) * 50_000


def test_a_poll_that_comes_again_brings_the_same_block_again(qemu, firmware):
    board = qemu("microbit", firmware("node-cortexm", BOARD="microbit", ADDRESS=9) / "node.elf")
    talk = Talk(board.port)
    assert talk.ask(COMMAND, struct.pack("<HB", 1, 1), node=9).body[3] == 0
    wait_quiet(talk)
    sequences = itertools.cycle(range(100, 256))
    first: list[Heard] = []
    wait_for(
        lambda: first.append(poll(talk, next(sequences), 9)) or first[-1].kind == READINGS, 10.0, "a block"
    )
    assert poll(talk, first[-1].sequence, 9) == first[-1]
    talk.close()


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
