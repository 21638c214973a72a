import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.modbus.words import unpack
from edgeinfer.sinks.modbus_map import Place, To, Write, check_apart, place, shown, state_of


def one(to, unknown=None):
    return shown({"r": to}, unknown)["r"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("coil:3", Place("coil", 3)),
        ("holding:10", Place("holding", 10, "uint16")),
        ("holding:65534:float32", Place("holding", 65_534, "float32")),
    ],
)
def test_a_place_is_read(text, expected):
    assert place("map.r", text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "coil", "coil:", "coil:-1", "coil:x", "coil:3:uint16", "input:3", "holding:1:int64", "coil:1:"],
)
def test_what_is_no_place_is_refused_with_its_key(text):
    with pytest.raises(InputError, match=r'^map\.r: expected "coil:3"'):
        place("map.r", text)


@pytest.mark.parametrize("text", ["coil:65536", "holding:65535:float32"])
def test_an_address_beyond_the_last_is_refused(text):
    with pytest.raises(InputError, match="address of 0 to 65535"):
        place("map.r", text)


def test_on_and_off_are_a_bit_or_one_and_zero():
    assert one("coil:3", "off").writes("on") == (Write("coil", 3, (1,)),)
    assert one("holding:3", 2.0).writes("off") == (Write("holding", 3, (0,)),)
    assert one("holding:3", 2.0).writes("unknown") == (Write("holding", 3, (2,)),)


@pytest.mark.parametrize(("unknown", "bit"), [("on", 1), ("off", 0)])
def test_an_unknown_state_is_what_the_user_says(unknown, bit):
    assert one(To(to="coil:3", unknown=unknown)).writes("unknown") == (Write("coil", 3, (bit,)),)


def test_a_coil_without_a_word_for_unknown_is_refused():
    with pytest.raises(InputError, match=r"map\.r: what should stand at coil 3 while the state is unknown"):
        one("coil:3")


def test_an_unknown_float_is_not_a_number():
    (write,) = one("holding:3:float32").writes("unknown")
    assert math.isnan(unpack("float32", write.values))


def test_a_value_is_there_before_it_is_valid_and_invalid_before_it_goes():
    target = one(To(to="coil:3", valid="coil:4"))
    assert target.writes("on") == (Write("coil", 3, (1,)), Write("coil", 4, (1,)))
    assert target.writes("unknown") == (Write("coil", 4, (0,)), Write("coil", 3, (0,)))


@given(st.floats(width=32, allow_nan=False, allow_infinity=False), st.sampled_from(["big", "little"]))
def test_a_float_comes_back(value, order):
    (write,) = one(To(to="holding:3:float32", word_order=order)).writes(value)
    assert unpack("float32", write.values, order) == value


@given(st.integers(-3000, 3000))
def test_a_scaled_number_comes_back_as_a_source_would_read_it(tenths):
    (write,) = one(To(to="holding:3:int16", scale=0.1, offset=5, unknown=-32_768)).writes(5 + tenths * 0.1)
    assert unpack("int16", write.values) == tenths


@pytest.mark.parametrize("number", [70_000.0, -1.0, math.nan, math.inf])
def test_a_number_that_does_not_fit_is_never_bent(number):
    with pytest.raises(OverflowError):
        one("holding:3", 0.0).writes(number)


def test_an_unknown_that_does_not_fit_is_refused_before_anything_runs():
    with pytest.raises(InputError, match=r"map\.r: -1\.0 does not fit uint16"):
        one("holding:3", -1.0)


@pytest.mark.parametrize(
    ("to", "words"),
    [
        (To(to="coil:3", valid="holding:4"), r"map\.r\.valid: expected a coil"),
        (To(to="holding:3", unknown=0, scale=0), "expected scale other than 0"),
    ],
)
def test_what_makes_no_sense_is_refused(to, words):
    with pytest.raises(InputError, match=words):
        one(to)


def test_two_that_share_a_register_are_refused():
    with pytest.raises(InputError, match=r"map\.b: holding 11 belongs to map\.a already"):
        check_apart({"map.a": Place("holding", 10, "float32"), "map.b": Place("holding", 11)})


def test_a_coil_and_a_register_of_one_address_are_two():
    check_apart({"map.a": Place("holding", 10), "map.b": Place("coil", 10)})


@pytest.mark.parametrize(
    ("word", "state"), [("on", "on"), ("off", "off"), ("unknown", "unknown"), ("3.5", 3.5), ("", "unknown")]
)
def test_a_word_of_the_plain_encoding_is_a_state(word, state):
    assert state_of(word) == state
