from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.hexfile import read_hex, write_hex
from firmware_bridge.flash.image import Image

END = ":00000001FF"


def record(kind, address, content):
    raw = bytes([len(content), address >> 8, address & 0xFF, kind]) + content
    return f":{raw.hex()}{-sum(raw) & 0xFF:02x}"


def image(*lines):
    return read_hex("\n".join([*lines, END]), "x.hex")


@given(st.integers(0, (1 << 32) - 3000), st.binary(min_size=1, max_size=3000))
def test_what_is_written_reads_back_wherever_it_lies(offset, content):
    assert read_hex(write_hex(Image(offset, content)), "x.hex") == Image(offset, content)


@given(st.integers(0, (1 << 32) - 300), st.binary(min_size=1, max_size=300), st.data())
def test_one_changed_digit_is_never_taken_for_another_image(offset, content, data):
    text = write_hex(Image(offset, content))
    at = data.draw(st.integers(0, len(text) - 2).filter(lambda n: text[n] not in ":\n"))
    other = data.draw(st.sampled_from("0123456789ABCDEF").filter(lambda digit: digit != text[at]))
    with pytest.raises(PackageError, match=r"x\.hex"):
        read_hex(text[:at] + other + text[at + 1 :], "x.hex")


def test_records_in_any_order_and_holes_make_one_image():
    assert image(record(0, 8, b"cd"), record(0, 0, b"ab")) == Image(0, b"ab" + b"\xff" * 6 + b"cd")


def test_addresses_of_segments_count_in_paragraphs():
    assert image(record(2, 0, b"\x10\x00"), record(0, 4, b"a")) == Image(0x1_0004, b"a")


def test_where_a_program_starts_is_no_content():
    assert image(record(5, 0, b"\x08\0\0\x01"), record(0, 0, b"a")) == Image(0, b"a")


def test_windows_line_ends_are_read():
    assert read_hex(f"{record(0, 0, b'a')}\r\n{END}\r\n", "x.hex") == Image(0, b"a")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("S00F000068656C6C6F", r"x\.hex:2: expected a whole Intel HEX record"),
        (":10", r"x\.hex:2: expected a whole Intel HEX record"),
        (record(0, 1, b"abc")[:-4], r"x\.hex:2: expected a whole Intel HEX record"),
        (record(7, 0, b""), r"x\.hex:2: unknown record type 7"),
        (record(4, 0, b"\x01"), r"x\.hex:2: a record of type 4 has 2 bytes, found 1"),
        (record(0, 0, b"b"), r"bytes at 0x0 are given twice"),
        (record(4, 0, b"\x10\x00"), None),
    ],
)
def test_a_broken_line_is_told_with_its_number(line, why):
    lines = [record(0, 0, b"a"), line]
    if why is None:
        lines, why = [*lines, record(0, 0, b"x")], "too far apart"
    with pytest.raises(PackageError, match=why):
        image(*lines)


def test_two_files_in_one_are_refused_and_not_half_taken():
    with pytest.raises(PackageError, match=r"x\.hex:3: a record follows the end-of-file record"):
        image(record(0, 0, b"a"), END, record(0, 0x8000, b"b"))


def test_a_file_without_content_is_refused():
    with pytest.raises(PackageError, match="no bytes to write"):
        image()
