"""Framing: what goes in comes out, in whatever pieces; a bad byte costs the frame that it hits and at most the next."""

from __future__ import annotations

import random
import zlib

import pytest
from cobs import cobs
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.framing import LONGEST, OVERHEAD, Deframer, Fault, Frame, on_wire, stuff, unstuff, wrap

BYTE = st.integers(0, 255)
RUNS = st.lists(st.sampled_from([b"\0", b"\1", b"\xff", b"ab", b"\7" * 253, b"\7" * 254, b"\7" * 255])).map(
    b"".join
)
FRAMES = st.builds(
    Frame, BYTE, BYTE, BYTE, BYTE, st.binary(max_size=600) | RUNS.filter(lambda b: len(b) < 4000)
)
DECODERS = pytest.mark.parametrize("decode", [None, unstuff], ids=["fastest", "python"])


@given(st.binary() | RUNS)
def test_stuffed_bytes_have_no_zero_and_come_back(data):
    stuffed = stuff(data)
    assert b"\0" not in stuffed
    assert unstuff(stuffed) == data
    assert len(stuffed) <= on_wire(len(data)) - 1


@given(st.binary() | RUNS)
def test_it_is_the_encoding_of_the_cobs_package(data):
    assert stuff(data) == cobs.encode(data)


@given(st.binary(min_size=1).map(lambda b: b.replace(b"\0", b"\1")))
def test_what_the_cobs_package_refuses_is_refused_and_nothing_else(data):
    try:
        expected = cobs.decode(data)
    except cobs.DecodeError:
        with pytest.raises(ValueError, match="no COBS"):
            unstuff(data)
    else:
        assert unstuff(data) == expected


@DECODERS
@given(frames=st.lists(FRAMES, max_size=5), cuts=st.lists(st.integers(0, 2000)))
def test_frames_come_back_in_order_in_whatever_pieces(decode, frames, cuts):
    sent, deframer = b"".join(map(wrap, frames)), Deframer(decode=decode)
    bounds = [0, *sorted(cut for cut in cuts if cut < len(sent)), len(sent)]
    got = [f for a, b in zip(bounds, bounds[1:], strict=False) for f in deframer.feed(sent[a:b])]
    assert got == frames


@pytest.mark.parametrize("size", [8, 9, 253, 254, 255, 256, 507, 508, 509, LONGEST - 1, LONGEST])
@pytest.mark.parametrize("fill", [b"\0", b"\7"])
def test_a_frame_at_the_limits_of_length_arrives(size, fill):
    frame = Frame(1, 0, 0x83, 9, fill * (size - OVERHEAD))
    assert Deframer().feed(wrap(frame)) == [frame]


def test_a_frame_too_long_is_one_fault_and_keeps_no_memory():
    deframer = Deframer(longest=64)
    assert [f for _ in range(1000) for f in deframer.feed(b"\7" * 1000)] == []
    assert len(deframer._rest) <= on_wire(64)  # noqa: SLF001  the promise is about what it holds
    frame = Frame(1, 0, 2, 3, bytes(56))
    found = deframer.feed(b"\0" + wrap(frame))
    assert [getattr(f, "why", None) for f in found] == ["length", None]


@pytest.mark.parametrize("size", range(8))
def test_what_is_shorter_than_header_and_crc_is_a_length_fault(size):
    [fault] = Deframer().feed(b"\0" + stuff(b"\1" * size) + b"\0")
    assert fault == Fault("length", size + 2)


@DECODERS
def test_a_block_that_ends_beyond_the_end_is_a_cobs_fault(decode):
    assert Deframer(decode=decode).feed(b"\5\1\0") == [Fault("cobs", 3)]


@DECODERS
@pytest.mark.parametrize("end", [b"", b"\1"], ids=["bare", "code"])
def test_a_frame_that_ends_with_a_full_block_may_end_in_a_code_of_1_or_not(decode, end):
    raw = b"\1\2\x83\4" + b"\7" * 246
    crc = zlib.crc32(raw).to_bytes(4, "little")
    assert 0 not in raw + crc, "one block of 254 bytes"
    assert Deframer(decode=decode).feed(b"\xff" + raw + crc + end + b"\0") == [
        Frame(1, 2, 0x83, 4, b"\7" * 246)
    ]


def test_delimiters_in_a_row_mean_nothing():
    frame = Frame(1, 0, 3, 4, b"")
    assert Deframer().feed(b"\0\0\0" + wrap(frame) + b"\0\0" + wrap(frame)) == [frame, frame]


@given(FRAMES, st.integers(0), st.integers(1, 255))
def test_a_wrong_byte_behind_the_stuffing_is_a_crc_fault(frame, at, change):
    raw = bytearray(unstuff(wrap(frame)[:-1]))
    raw[at % len(raw)] ^= change
    assert [f.why for f in Deframer().feed(stuff(raw) + b"\0")] == ["crc"]


def test_the_crc_is_that_of_ieee_802_3():
    assert zlib.crc32(b"123456789") == 0xCBF43926
    raw = unstuff(wrap(Frame(1, 2, 3, 4, b"body"))[:-1])
    assert raw == b"\1\2\3\4body" + zlib.crc32(b"\1\2\3\4body").to_bytes(4, "little")


# --- one bad byte ----------------------------------------------------------------------------------------


def stream(draw: random.Random, count: int) -> list[Frame]:
    sizes = (draw.choice((0, 1, 12, 40, 250, 260)) for _ in range(count))
    return [Frame(1, 0, 0x83, n, draw.randbytes(size)) for n, size in enumerate(sizes)]


def cost(frames: list[Frame], spoiled: bytes, hit: int) -> None:
    """No frame is invented, and at most the one that was hit and the next are missing."""
    got = [f for f in Deframer().feed(spoiled) if isinstance(f, Frame)]
    assert [f for f in got if f not in frames] == []
    assert got == [f for f in frames if f in got], "in order, each once"
    missing = {n for n, f in enumerate(frames) if f not in got}
    assert missing <= {hit, hit + 1}


def owners(wires: list[bytes]) -> list[int]:
    """For each byte of the stream, the frame that it belongs to."""
    return [n for n, wire in enumerate(wires) for _ in wire]


@pytest.mark.parametrize("seed", range(5))
def test_one_flipped_bit_at_any_position_costs_that_frame_and_at_most_the_next(seed):
    draw = random.Random(seed)
    frames = stream(draw, 6)
    wires = list(map(wrap, frames))
    sent = b"".join(wires)
    for at, hit in enumerate(owners(wires)):
        for bit in range(8):
            cost(frames, sent[:at] + bytes([sent[at] ^ 1 << bit]) + sent[at + 1 :], hit)


@pytest.mark.parametrize("seed", range(20))
def test_one_byte_lost_at_any_position_costs_that_frame_and_at_most_the_next(seed):
    frames = stream(random.Random(seed), 6)
    wires = list(map(wrap, frames))
    sent = b"".join(wires)
    for at, hit in enumerate(owners(wires)):
        cost(frames, sent[:at] + sent[at + 1 :], hit)


@pytest.mark.parametrize("seed", range(5))
def test_one_byte_too_many_at_any_position_costs_that_frame_and_at_most_the_next(seed):
    draw = random.Random(seed)
    frames = stream(draw, 6)
    wires = list(map(wrap, frames))
    sent = b"".join(wires)
    for at, hit in enumerate(owners(wires)):
        for byte in (0, 1, 255, *draw.randbytes(5)):
            cost(frames, sent[:at] + bytes([byte]) + sent[at:], hit)
