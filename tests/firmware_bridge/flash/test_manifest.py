from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.manifest import Manifest, PartEntry, dump, name_of, parse, word_of

WORD = st.from_regex(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]{0,20}", fullmatch=True)
NUMBER = st.integers(0, (1 << 32) - 1)
DIGEST = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
PART = st.builds(PartEntry, WORD, NUMBER, NUMBER, NUMBER, DIGEST, st.just("") | WORD, st.booleans())
OPTIONS = st.dictionaries(st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True), WORD | st.integers(0, 1 << 31))
MANIFEST = st.builds(
    Manifest,
    WORD,
    WORD,
    WORD,
    WORD,
    st.lists(PART, min_size=1, max_size=4).map(tuple),
    st.just("") | WORD,
    OPTIONS,
)

TEXT = """\
format = 1
board = "uno"
name = "motor"
version = "1.0.0"
flasher = "avrdude"
[[part]]
file = "a.bin"
offset = 0
length = 1
crc32 = 0
sha256 = "{}"
""".format("0" * 64)


@given(MANIFEST)
def test_what_is_written_reads_back(manifest):
    assert parse(dump(manifest).encode(), "p") == manifest


def test_a_package_of_a_later_format_is_told_to_be_newer():
    with pytest.raises(
        PackageError, match=r"p: package format 2, and this edgeinfer reads 1: .*update this one"
    ):
        parse(TEXT.replace("format = 1", 'format = 2\nnovelty = "yes"').encode(), "p")


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("format = 1", "format = 0", "format: expected 1, found 0"),
        ("format = 1", "format = true", "format: expected 1, found True"),
        ("format = 1\n", "", "format: expected 1, found None"),
        ('board = "uno"', 'board = "u n o"', "board: expected 1 to 64"),
        ('board = "uno"', "", "board: expected 1 to 64 .* found None"),
        ('name = "motor"', 'name = "../motor"', "name: expected"),
        ('name = "motor"', 'name = "motor"\ncolour = "red"', "unknown key 'colour'"),
        ("offset = 0", "offset = -1", r"part 1: offset: expected a whole number from 0 to 2\^32"),
        ("length = 1", "length = 1.5", "part 1: length"),
        ('file = "a.bin"', 'file = ".hidden"', "part 1: file"),
        ("0" * 64, "0" * 63, "part 1: sha256: expected 64 hexadecimal digits"),
        ("offset = 0", "offset = 0\nsize = 3", "unknown key 'size'"),
        ("[[part]]", "[part]", r"no \[\[part\]\]"),
        ('flasher = "avrdude"', 'flasher = "avrdude"\noptions = 3', "options: expected a table"),
        ('flasher = "avrdude"', 'flasher = "avrdude"\noptions = {baud = 1.5}', r"options\.baud"),
        ('"uno"', '"uno', r"p: firmware\.toml cannot be read: .*line 2"),
    ],
)
def test_a_wrong_key_is_told_by_name(before, after, why):
    assert before in TEXT
    with pytest.raises(PackageError, match=why):
        parse(TEXT.replace(before, after).encode(), "p")


@given(st.text(max_size=100))
def test_whatever_a_node_says_of_itself_becomes_a_word(text):
    word = word_of(text)
    assert name_of(word, "p") == word


def test_a_word_stays_as_it_is():
    assert re.sub(r"-", "", word_of("v1.2.3_rc+4")) == "v1.2.3_rc+4"
