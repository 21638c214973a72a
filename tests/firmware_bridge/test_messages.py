"""Messages: each comes back from its bytes, a later revision's is understood as far as it is known, a broken one is refused."""

from __future__ import annotations

import json
import struct
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge import messages as m
from firmware_bridge.errors import MalformedError
from firmware_bridge.framing import LONGEST, OVERHEAD, Deframer, Frame
from firmware_bridge.message import parse_as
from tests.firmware_bridge import vectors
from tests.firmware_bridge.strategies import CLASSES, MESSAGES, any_of

ALL = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
BYTE = st.integers(0, 255)


def arrived(wire: bytes) -> tuple[Frame, m.Message]:
    [frame] = Deframer().feed(wire)
    assert isinstance(frame, Frame)
    return frame, m.parse(frame)


@given(MESSAGES, BYTE, BYTE)
def test_a_message_comes_back_from_its_frame(message, sequence, node):
    frame, got = arrived(m.frame(message, sequence, node))
    assert (got, frame.sequence, frame.node) == (message, sequence, node)


@ALL
@given(data=st.data())
def test_each_kind_comes_back_from_its_body(cls, data):
    message = data.draw(any_of(cls))
    assert parse_as(cls, message.body()) == message


def grows(cls: type[m.Message]) -> bool:
    """Whether a later revision may add fields: not where the last field takes all that there is."""
    return "bytes" not in str(fields(cls)[-1].type) if fields(cls) else True  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", list(filter(grows, CLASSES)), ids=lambda cls: cls.__name__)
@given(data=st.data(), more=st.binary(min_size=1, max_size=20))
def test_fields_that_a_later_revision_added_are_ignored(cls, data, more):
    message = data.draw(any_of(cls))
    assert parse_as(cls, message.body() + more) == message


@ALL
@given(data=st.data())
def test_a_body_cut_short_anywhere_is_refused(cls, data):
    body = data.draw(any_of(cls, tail_max=0)).body()
    for length in range(len(body)):
        with pytest.raises(MalformedError):
            parse_as(cls, body[:length])


@given(BYTE, st.binary(max_size=100))
def test_any_type_with_any_body_is_a_message_or_malformed(of_type, body):
    try:
        message = m.parse(Frame(1, 0, of_type, 0, body))
    except MalformedError:
        return
    assert message.type in (of_type, m.Unknown.type)


def test_a_type_of_a_later_revision_is_kept_as_it_came():
    assert m.parse(Frame(1, 0, 0xB7, 0, b"xyz")) == m.Unknown(0xB7, b"xyz")


HELLO = struct.pack("<BBHIIIIB", 1, 1, 64, 1, 0, 0, 0, 0)
CHANNEL = struct.pack("<BBBBffI", 0, 1, 0, 3, 1.0, 0.0, 0)
BROKEN = {
    "a text ends beyond the body": (m.Hello, HELLO + b"\1a\1b\1c\2d"),
    "can't decode": (m.Log, b"\1\2\xff\xff"),
    "every node has to take 64": (m.Hello, HELLO[:2] + b"\x3f\0" + HELLO[4:] + bytes(4)),
    "has the type 0": (m.Channel, CHANNEL[:3] + b"\0" + CHANNEL[4:] + bytes(2)),
    "has the type 8": (m.Channel, CHANNEL[:3] + b"\x08" + CHANNEL[4:] + bytes(2)),
    "the scale nan": (m.Channel, CHANNEL[:4] + struct.pack("<f", float("nan")) + CHANNEL[8:] + bytes(2)),
    "the offset inf": (m.Channel, CHANNEL[:8] + struct.pack("<f", float("inf")) + CHANNEL[12:] + bytes(2)),
    "has no row": (m.Readings, struct.pack("<BIIH", 3, 1, 2, 0)),
    "Readings of 10 bytes": (m.Readings, bytes(10)),
    "Command of 2 bytes": (m.Command, bytes(2)),
}


@pytest.mark.parametrize("why", BROKEN)
def test_a_broken_field_is_refused_with_its_reason(why):
    cls, body = BROKEN[why]
    with pytest.raises(MalformedError, match=why):
        parse_as(cls, body)


def test_the_answer_of_a_node_without_channels_is_all_zeros_and_right():
    assert parse_as(m.Channel, bytes(18)) == m.Channel(0, 0, 0, 0, 0.0, 0.0, 0, "", "")


def test_a_text_of_255_bytes_fits_and_one_more_is_refused():
    assert parse_as(m.Log, m.Log(1, "é" * 127 + "x").body()).text == "é" * 127 + "x"
    with pytest.raises(ValueError, match="at most 255 bytes of UTF-8, found 256"):
        m.Log(1, "é" * 128).body()


def test_the_longest_block_that_a_host_takes_arrives():
    block = m.Readings(0, 1, 2, 2038, bytes(LONGEST - OVERHEAD - m.Readings.layout.size))
    assert arrived(m.frame(block, 1))[1] == block


def test_a_sequence_goes_round_at_256():
    assert arrived(m.frame(m.Poll(), 256 + 7))[0].sequence == 7


def test_no_two_messages_share_a_type():
    assert len({cls.type for cls in CLASSES}) == len(CLASSES)


# --- the vectors that other implementers build on -----------------------------------------------------------


def test_the_vectors_in_the_file_are_those_of_this_code():
    assert vectors.FILE.read_text(encoding="utf-8") == vectors.text(vectors.vectors())
    assert vectors.BAD_FILE.read_text(encoding="utf-8") == vectors.text(vectors.bad())


def test_every_kind_of_message_has_a_vector():
    assert {type(message) for message in vectors.MESSAGES} == set(CLASSES)


@pytest.mark.parametrize(
    "vector", json.loads(vectors.FILE.read_text(encoding="utf-8")), ids=lambda v: v["wire"][:12]
)
def test_a_vectors_bytes_are_read_as_its_fields(vector):
    frame, message = arrived(bytes.fromhex(vector["wire"]))
    assert (frame.type, frame.node, frame.sequence) == (vector["type"], vector["node"], vector["sequence"])
    assert (type(message).__name__, vectors.plain(message)) == (vector["name"], vector["fields"])


@pytest.mark.parametrize(
    "vector", json.loads(vectors.BAD_FILE.read_text(encoding="utf-8")), ids=lambda v: v["why"]
)
def test_a_bad_vector_is_refused_where_it_says(vector):
    [found] = Deframer().feed(bytes.fromhex(vector["wire"]))
    if vector["fault"] != "body":
        assert found.why == vector["fault"]
    else:
        with pytest.raises(MalformedError):
            m.parse(found)
