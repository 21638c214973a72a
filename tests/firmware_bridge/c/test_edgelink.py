"""The C library against the specification in docs/firmware.md, under AddressSanitizer and UndefinedBehaviorSanitizer."""

from __future__ import annotations

import json
import random
import struct
import subprocess
import zlib
from pathlib import Path

import pytest

from firmware_bridge import framing, messages
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
    Hello,
    frame,
    stuff,
    texts,
)

pytestmark = pytest.mark.slow  # needs compilers


def command(number: int, ident: int, arguments: bytes = b"", sequence: int = 9, node: int = 0) -> bytes:
    return frame(COMMAND, sequence, struct.pack("<HB", ident, number) + arguments, node)


def counters(said) -> dict[str, int]:
    names = ("crc_errors", "length_errors", "overruns", "ring_overflows", "tx_dropped", "repeats")
    return dict(zip(names, struct.unpack("<6I", said.body), strict=True))


def test_hello_says_who_is_there(node):
    (said,) = node(frame(HELLO, 7, b"\1\1"))
    hello = Hello.of(said.body)
    assert (said.version, said.node, said.kind, said.sequence) == (1, 0, 0x81, 7)
    assert (hello.max_frame, hello.board, hello.name, hello.version) == (512, "pipe", "fuzzed", "1.2.3")
    assert (hello.length, hello.flags) == (16, 0)


def test_a_small_frame_cuts_the_build_and_nothing_else(node):
    hello = Hello.of(node(frame(HELLO, 7, b"\1\1"), frame=64)[0].body)
    assert (hello.board, hello.name, hello.version, hello.build) == (
        "pipe",
        "fuzzed",
        "1.2.3",
        "0123456789abcdef",
    )


def test_a_buffer_below_64_bytes_is_refused(pipe_node):
    assert subprocess.run([pipe_node, "63"], input=b"", check=False, capture_output=True).returncode == 4


def test_describe_tells_a_channel_and_refuses_one_that_is_not_there(node):
    first, beyond = node(frame(DESCRIBE, 1, b"\0") + frame(DESCRIBE, 2, b"\3"))
    assert struct.unpack_from("<BBBBffI", first.body) == (0, 3, 0, 3, 0.5, -1.0, 1600000)
    assert texts(first.body[16:]) == ["x", "m/s2"]
    assert (beyond.kind, beyond.body) == (NAK, bytes((DESCRIBE, 2)))


def test_an_answer_that_does_not_fit_is_nak_5(node):
    assert node(frame(DESCRIBE, 1, b"\1"), frame=64)[0].body == bytes((DESCRIBE, 5))


def test_time_gives_the_token_back_with_two_readings_of_the_clock(node):
    (said,) = node(frame(TIME, 1, b"\1\2\3\4"))
    token, received_us, sent_us = struct.unpack("<4sII", said.body)
    assert token == b"\1\2\3\4"
    assert received_us < sent_us


def test_readings_come_only_after_start_and_count_from_zero(node):
    sent = b"".join(command(c, i) for i, c in enumerate((128, 1, 128, 128), 1))
    said = node(sent)
    blocks = [struct.unpack_from("<BIIH", s.body) for s in said if s.kind == READINGS]
    assert blocks == [(0, 0, 7, 3), (0, 1, 7, 3)]
    assert [s.body[3] for s in said if s.kind == 0x85] == [3, 0, 0, 0]


def test_a_block_without_room_is_counted_in_its_number(node):
    sent = command(1, 1) + command(130, 2, b"\0") + command(128, 3) + command(130, 4, b"\1") + command(128, 5)
    said = node(sent + frame(STATUS, 1))
    assert [struct.unpack_from("<BI", s.body)[1] for s in said if s.kind == READINGS] == [1]
    assert counters(said[-1])["tx_dropped"] == 1


def test_a_block_longer_than_a_frame_is_refused_and_counted(node):
    said = node(command(1, 1) + command(129, 2) + frame(STATUS, 1))
    assert said[1].body[3] == 4
    assert counters(said[-1])["tx_dropped"] == 1


def test_a_command_that_comes_again_is_answered_but_not_done_again(node):
    said = node(command(1, 1) + command(128, 2) * 3 + frame(STATUS, 1))
    assert [s.kind for s in said].count(READINGS) == 1
    assert [s.kind for s in said].count(0x85) == 4
    assert counters(said[-1])["repeats"] == 2


def test_hello_makes_the_node_forget_the_last_command_id(node):
    said = node(command(1, 1) + command(128, 2) + frame(HELLO, 1, b"\1\1") + command(128, 2))
    assert [s.kind for s in said].count(READINGS) == 2


def test_the_bootloader_is_entered_only_with_the_magic(node):
    said = node(command(5, 1) + command(5, 2, b"\1\2\3\4") + command(5, 3, struct.pack("<I", 0xB007106D)))
    assert [s.body[3] for s in said if s.kind == 0x85] == [2, 2, 0]
    assert [s.body for s in said if s.kind == LOG] == [b"\2\4boot"]


def test_an_unknown_request_is_nak_1_and_a_reply_of_another_is_ignored(node):
    said = node(frame(0x33, 1) + frame(0x81, 2))
    assert [(s.kind, s.body) for s in said] == [(NAK, b"\x33\1")]


@pytest.mark.parametrize("kind", [HELLO, DESCRIBE, COMMAND, TIME])
def test_a_body_too_short_is_nak_2(node, kind):
    assert node(frame(kind, 1))[0].body == bytes((kind, 2))


def test_another_version_is_nak_3_in_our_own(node):
    (said,) = node(frame(STATUS, 5, version=2))
    assert (said.version, said.sequence, said.body) == (1, 5, bytes((STATUS, 3)))


def test_a_node_with_an_address_answers_only_to_it_and_speaks_only_when_polled(node):
    sent = frame(HELLO, 1, b"\1\1") + frame(HELLO, 2, b"\1\1", node=8) + frame(HELLO, 3, b"\1\1", node=9)
    (said,) = node(sent, address=9)
    assert (said.node, said.sequence, Hello.of(said.body).flags) == (9, 3, 8)


def test_poll_gives_the_oldest_then_nothing_and_a_repeat_gives_the_same_again(node):
    polls = b"".join(frame(POLL, n, node=9) for n in (10, 10, 11, 12, 13))
    said = node(command(1, 1, node=9) + polls, frame=64, address=9)[1:]
    numbers = [struct.unpack_from("<BI", s.body)[1] for s in said if s.kind == READINGS]
    assert numbers == [0, 0, 1]
    assert (said[3].kind, said[3].sequence) == (LOG, 12)
    assert (said[4].kind, said[4].body) == (NAK, bytes((POLL, 4)))


def test_a_long_frame_for_another_node_is_no_error_and_one_for_this_node_is(node):
    sent = (
        frame(0x83, 1, bytes(200), node=8) + frame(COMMAND, 2, bytes(200), node=9) + frame(STATUS, 3, node=9)
    )
    (said,) = node(sent, frame=64, address=9)
    assert counters(said)["length_errors"] == 1


def test_a_frame_of_the_longest_length_is_taken_and_one_byte_more_is_counted(node):
    longest, longer = (command(130, n, b"\7" * (64 - 8 - 3 + n)) for n in (0, 1))
    said = node(longest + longer + frame(STATUS, 1), frame=64)
    assert [s.kind for s in said] == [0x85, 0x84]
    assert counters(said[1])["length_errors"] == 1


def test_bad_frames_are_counted_and_not_answered(node):
    good = frame(HELLO, 1, b"\1\1")
    broken = good[:4] + bytes((good[4] ^ 0x40 or 1,)) + good[5:]
    too_long = stuff(bytes(range(256)) * 3) + b"\0"
    said = node(broken + too_long + b"\5\1\0" + b"\0\0\0" + frame(STATUS, 1))
    assert counters(said[0]) == dict.fromkeys(counters(said[0]), 0) | {"crc_errors": 1, "length_errors": 2}


@pytest.mark.parametrize("n", [244, 245, 246, 247, 248, 249, 250, 251, 252])
def test_frames_around_a_run_of_254_bytes_without_zero_arrive(node, n):
    said = node(command(130, 0x0101, b"\7" * n))
    assert said[0].body == b"\1\1\x82\0"


def test_ten_million_random_bytes_neither_crash_it_nor_pass_as_a_request(node):
    rng = random.Random(4)
    assert node(rng.randbytes(10_000_000)) == []


def test_damaged_requests_cost_at_most_themselves_and_the_next(node):
    rng = random.Random(5)
    sent, damaged = bytearray(), 0
    for n in range(20_000):
        whole = bytearray(frame(TIME, n % 256, struct.pack("<I", n)))
        if rng.random() < 0.05:
            damaged += 1
            at = rng.randrange(len(whole))
            how = rng.randrange(3)
            whole[at : at + (how != 2)] = b"" if how == 0 else bytes((rng.randrange(256),))
        sent += whole
    said = [s for s in node(bytes(sent)) if s.kind == 0x87]
    tokens = [struct.unpack_from("<I", s.body)[0] for s in said]
    assert len(tokens) >= 20_000 - 2 * damaged
    assert tokens == sorted(set(tokens))


def faults(whole: bytes, draw: random.Random):
    """Every flipped bit, every dropped byte, and some inserted ones before each byte."""
    for at in range(len(whole)):
        for bit in range(8):
            yield whole[:at] + bytes((whole[at] ^ 1 << bit,)) + whole[at + 1 :]
        yield whole[:at] + whole[at + 1 :]
        for byte in (0, 1, 255, draw.randrange(256)):
            yield whole[:at] + bytes((byte,)) + whole[at:]


def test_a_bad_byte_at_every_position_costs_at_most_that_request_and_the_next(node):
    draw, sent, groups = random.Random(13), bytearray(), 0
    for seed in range(40):
        bodies = (struct.pack("<I", draw.getrandbits(32) & 0xFFFF0000) for _ in range(seed % 2 + 1))
        for spoiled in faults(frame(TIME, 1, b"".join(bodies)), draw):
            whole = (frame(TIME, n, struct.pack("<II", groups, n)) for n in (2, 3))
            sent += spoiled + b"".join(whole)
            groups += 1
    said = [(s.sequence, struct.unpack_from("<I", s.body)[0]) for s in node(bytes(sent)) if s.kind == 0x87]
    assert groups > 5000
    assert [token for sequence, token in said if sequence == 3] == list(range(groups))
    assert len(said) < 3 * groups, "most of the spoiled ones were noticed"
    assert all(token < groups for sequence, token in said if sequence == 2)


REQUESTS = [
    v for v in json.loads((Path(__file__).parent.parent / "vectors.json").read_text()) if v["type"] < 0x80
]


@pytest.mark.parametrize("vector", REQUESTS, ids=lambda v: f"{v['name']}-{v['sequence']}")
def test_each_request_of_the_vectors_is_understood(node, vector):
    said = node(bytes.fromhex(vector["wire"]), address=vector["node"])
    own = 0xFF if vector["type"] >= 0x10 else vector["type"] | 0x80  # BOOT_* is for bootloaders: NAK 1
    answers = [s for s in said if s.kind in (own, NAK) and s.sequence == vector["sequence"]]
    assert len(answers) == 1
    assert answers[0].kind == own or (vector["type"] == POLL and answers[0].body == bytes((POLL, 4)))


def test_the_python_side_reads_what_the_node_says(pipe_node):
    sent = (
        frame(HELLO, 1, b"\1\1")
        + frame(DESCRIBE, 2, b"\0")
        + command(1, 1)
        + command(128, 2)
        + frame(STATUS, 3)
    )
    done = subprocess.run([pipe_node], input=sent, check=True, capture_output=True)
    frames = framing.Deframer().feed(done.stdout)
    assert not [f for f in frames if isinstance(f, framing.Fault)]
    hello, channel, ack, readings, _, status = map(messages.parse, frames)
    assert isinstance(hello, messages.Hello)
    assert (hello.board, hello.name, hello.version, hello.max_frame) == ("pipe", "fuzzed", "1.2.3", 512)
    assert isinstance(channel, messages.Channel)
    assert (channel.name, channel.unit, channel.scale, channel.offset) == ("x", "m/s2", 0.5, -1.0)
    assert isinstance(ack, messages.Ack)
    assert isinstance(readings, messages.Readings)
    assert isinstance(status, messages.Status)


def test_any_valid_request_with_any_body_is_answered_by_a_frame_that_parses(node):
    rng = random.Random(6)
    bodies = (rng.randbytes(rng.randrange(0, 56)) for _ in range(20_000))
    sent = b"".join(frame(rng.randrange(0x80), n % 256, b) for n, b in enumerate(bodies))
    assert len(node(sent, frame=64)) >= 20_000


def test_the_crc_is_zlibs(node):
    (said,) = node(frame(HELLO, 1, b"\1\1"))
    assert zlib.crc32(b"123456789") == 0xCBF43926
    assert Hello.of(said.body).crc32 != 0
