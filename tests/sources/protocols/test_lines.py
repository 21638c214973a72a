import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeinfer.errors import InputError
from edgeinfer.sources.protocols.lines import Lines

START = b"half of a line\n"


def lines(**options):
    protocol = Lines(msgspec.convert(options, Lines.Options))
    assert protocol.receive(START, 0) == []
    return protocol


def rows(protocol, data):
    return [dict(zip(r.channels, r.values[0], strict=True)) for r in protocol.receive(data, 7)]


def test_csv_columns_become_channels_in_units_and_unwanted_ones_are_left_out():
    protocol = lines(channels=["t", "_", {"name": "v", "unit": "mm/s", "scale": 0.5, "offset": 1}])
    assert rows(protocol, b"21.5,9,4 mm/s\r\n") == [{"t": 21.5, "v": 3.0}]


def test_pairs_are_found_by_name():
    protocol = lines(format="key=value", channels=[{"name": "t", "from": "T", "unit": "C"}, "h"])
    assert rows(protocol, b"T=21.5C, h: 40; other=1\n") == [{"t": 21.5, "h": 40.0}]


def test_json_objects_are_flattened():
    assert rows(lines(format="json"), b'{"imu": {"x": 1, "y": null}, "name": "n"}\n')[0]["imu.x"] == 1.0


def test_the_first_line_is_half_of_one_and_is_dropped():
    protocol = Lines(Lines.Options(channels=["t"]))
    assert rows(protocol, b"1.5\n22.5\n") == [{"t": 22.5}]


def test_a_line_may_come_in_pieces():
    protocol = lines(channels=["t"])
    assert [r for byte in b"21.5\n" for r in rows(protocol, bytes([byte]))] == [{"t": 21.5}]


def test_a_broken_line_is_counted_for_each_channel_and_makes_a_gap():
    protocol = lines(channels=["a", "b"])
    first, second = protocol.receive(b"1,2\n1,2,3\n3,4\n", 7)
    assert (first.gap_before, second.gap_before) == (False, True)
    assert protocol.lost == {"a": 1, "b": 1}


def test_a_broken_field_is_lost_for_its_channel_only():
    protocol = lines(channels=["a", "b"])
    assert rows(protocol, b"1,x\n") == [{"a": 1.0}]
    assert protocol.lost == {"b": 1}


def test_another_unit_than_the_channels_is_no_reading():
    assert rows(lines(channels=[{"name": "t", "unit": "C"}]), b"70F\n") == []


def test_an_over_long_line_is_skipped_to_its_end():
    protocol = lines(channels=["t"], longest=16)
    assert rows(protocol, b"1" * 50) == []
    assert rows(protocol, b"1" * 50 + b"\n2\n") == [{"t": 2.0}]
    assert protocol.bad == {"over-long line": 1}


def test_nan_is_a_sensor_without_a_value_and_infinity_is_wrong():
    protocol = lines(channels=["t"])
    assert math.isnan(rows(protocol, b"nan\n")[0]["t"])
    assert rows(protocol, b"inf\n1e999\n") == []


def test_rows_that_arrive_together_are_a_block_when_the_rate_is_known():
    (block,) = lines(channels=["t"], rate_hz=1000).receive(b"1\n2\n3\n", 10_000_000)
    assert (block.values[:, 0].tolist(), block.at_ns, block.period_ns) == ([1, 2, 3], 8_000_000, 1_000_000)


@given(st.lists(st.binary(max_size=200)), st.sampled_from(["csv", "key=value", "json"]))
def test_garbage_never_crashes_and_gives_no_infinite_number(pieces, form):
    protocol = lines(format=form, channels=["a", "b"], longest=64)
    found = [r for piece in pieces for r in protocol.receive(piece, 1)]
    assert not any(math.isinf(v) for r in found for v in r.values.ravel())


@given(st.binary(max_size=500).map(lambda b: bytes(x | 0x80 for x in b)))
def test_what_is_no_text_never_passes(garbage):
    assert lines(channels=["a"]).receive(garbage + b"\n", 1) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "channels: CSV needs"),
        ({"channels": ["a", "a"]}, "channels: expected names that differ"),
        ({"channels": ["_"]}, "at least one"),
        ({"channels": ["a"], "rate_hz": -1}, "rate_hz: expected"),
        ({"channels": ["a"], "longest": 1}, "longest: expected"),
        ({"channels": ["a"], "separator": ""}, "separator: expected"),
    ],
)
def test_a_wrong_option_is_told(options, words):
    with pytest.raises(InputError, match=words):
        lines(**options)
