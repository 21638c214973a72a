import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.sources.protocols.checksum import checksum
from edgeinfer.sources.protocols.struct import Struct

OPTIONS = {
    "sync": "AA 55",
    "layout": "<Bh",
    "channels": ["n", {"name": "x", "scale": 0.5}],
    "checksum": "crc32",
}


def protocol(**options):
    return Struct(msgspec.convert(OPTIONS | options, Struct.Options))


def frame(n, x, kind="crc32"):
    body = struct.pack("<Bh", n, x)
    size, crc = checksum(kind)
    return b"\xaa\x55" + body + crc(body).to_bytes(size, "little")


def found(line, data):
    return [tuple(r.values[0]) for r in line.receive(data, 7)]


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("sum8", 0xDD),
        ("xor8", 0x31),
        ("crc16-modbus", 0x4B37),
        ("crc16-ccitt", 0x29B1),
        ("crc16-xmodem", 0x31C3),
        ("crc16-arc", 0xBB3D),
        ("crc16-kermit", 0x2189),
        ("crc32", 0xCBF43926),
    ],
)
def test_a_checksum_is_the_one_of_the_catalogue(kind, check):
    assert checksum(kind)[1](b"123456789") == check


@given(
    st.lists(st.tuples(st.integers(0, 255), st.integers(-(2**15), 2**15 - 1)), max_size=8), st.integers(1, 9)
)
def test_frames_in_pieces_are_read_as_they_were_sent(sent, piece):
    data, line = b"".join(frame(*s) for s in sent), protocol()
    pieces = [data[i : i + piece] for i in range(0, len(data), piece)]
    assert [r for p in pieces for r in found(line, p)] == [(n, x / 2) for n, x in sent]
    assert not line.bad


def test_a_damaged_frame_costs_itself_only_and_is_counted_for_each_channel():
    line = protocol()
    damaged = bytearray(frame(2, 2))
    damaged[4] ^= 1
    first, last = line.receive(frame(1, 1) + damaged + frame(3, 3), 7)
    assert (first.gap_before, last.gap_before) == (False, True)
    assert line.lost == {"n": 1, "x": 1}


def test_a_half_frame_does_not_take_the_next_one_with_it():
    assert found(protocol(), frame(1, 1)[:-2] + frame(2, 2)) == [(2, 1.0)]


def test_a_counter_tells_of_frames_that_never_came():
    line = protocol(counter="n")
    data = frame(254, 0) + frame(255, 0) + frame(2, 0)
    assert [r.gap_before for r in line.receive(data, 7)] == [False, False, True]
    assert line.lost == {"x": 2}


@given(st.lists(st.binary(max_size=300)))
def test_garbage_never_crashes_nor_passes_and_is_not_hoarded(pieces):
    line = protocol()
    assert [r for piece in pieces for r in line.receive(piece, 1)] == []
    assert len(line._held) < 9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sync": "xyz"}, "sync: expected 1 to 16 bytes"),
        ({"layout": "Bh"}, "layout: expected a byte order"),
        ({"layout": "<Bk"}, "layout: expected a struct format"),
        ({"layout": "<3s"}, "layout: expected numbers"),
        ({"channels": ["n"]}, "channels: expected one for each of the 2"),
        ({"counter": "z"}, "counter: expected one of the channels"),
        ({"counter": "x"}, "counter: expected an unsigned"),
    ],
)
def test_a_wrong_option_is_told(options, words):
    with pytest.raises(InputError, match=words):
        protocol(**options)
