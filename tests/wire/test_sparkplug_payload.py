from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sparkplub_b_packets.core import sparkplug_b_pb2 as tahu  # the spelling is theirs

from edgeinfer.wire.sparkplug_payload import DataType, Metric, Payload, decode, encode

U64 = st.integers(0, 2**64 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
VALUES = {
    DataType.INT64: st.integers(-(2**63), 2**63 - 1),
    DataType.UINT64: U64,
    DataType.DOUBLE: st.floats(allow_nan=False),
    DataType.BOOLEAN: st.booleans(),
    DataType.STRING: TEXT,
}
MEMBER = {
    DataType.INT64: "long_value",
    DataType.UINT64: "long_value",
    DataType.DOUBLE: "double_value",
    DataType.BOOLEAN: "boolean_value",
    DataType.STRING: "string_value",
}


@st.composite
def metrics(draw: st.DrawFn) -> Metric:
    kind = draw(st.sampled_from(list(VALUES)))
    value = draw(st.none() | VALUES[kind])
    return Metric(draw(TEXT), kind, value, draw(U64), draw(st.none() | U64), draw(st.booleans()))


PAYLOADS = st.builds(
    Payload, U64, st.lists(metrics(), max_size=5).map(tuple), st.none() | st.integers(0, 255)
)


def as_tahu(payload: Payload) -> tahu.Payload:
    made = tahu.Payload(timestamp=payload.at_ms)
    if payload.seq is not None:
        made.seq = payload.seq
    for metric in payload.metrics:
        one = made.metrics.add(timestamp=metric.at_ms, datatype=int(metric.type))
        if metric.name:
            one.name = metric.name
        if metric.alias is not None:
            one.alias = metric.alias
        if metric.historical:
            one.is_historical = True
        if metric.value is None:
            one.is_null = True
        else:
            value = metric.value % 2**64 if metric.type == DataType.INT64 else metric.value
            setattr(one, MEMBER[metric.type], value)
    return made


@given(PAYLOADS)
def test_what_is_written_is_read(payload):
    assert decode(encode(payload)) == payload


@given(PAYLOADS)
def test_googles_protobuf_writes_the_same_bytes_with_the_schema_of_tahu(payload):
    assert encode(payload) == as_tahu(payload).SerializeToString(deterministic=True)


@given(PAYLOADS)
def test_googles_protobuf_reads_what_is_written(payload):
    assert tahu.Payload.FromString(encode(payload)) == as_tahu(payload)


def test_the_bytes_are_those_of_the_javascript_library():
    """`sparkplug-payload` 1.0.3, encodePayload, of the same payload."""
    payload = Payload(
        1_700_000_000_123,
        (
            Metric("a/state", DataType.BOOLEAN, True, 1_700_000_000_000, 3, historical=True),
            Metric("n", DataType.DOUBLE, None, 5),
            Metric("b", DataType.INT64, -5, 5),
            Metric("d", DataType.DOUBLE, 1.5, 6),
            Metric("s", DataType.STRING, "ä", 6),
        ),
        7,
    )
    assert encode(payload).hex() == (
        "08fbd095ffbc31"
        "12180a07612f737461746510031880d095ffbc31200b28017001"
        "12090a016e1805200a3801"
        "12120a01621805200458fbffffffffffffffff01"
        "12100a01641806200a69000000000000f83f"
        "120b0a01731806200c7a02c3a4"
        "1807"
    )


def test_types_that_are_not_ours_are_read():
    other = tahu.Payload(timestamp=1)
    other.metrics.add(name="f", datatype=9, float_value=0.5)
    other.metrics.add(name="i", datatype=3, int_value=7)
    other.metrics.add(name="none", datatype=16)
    assert [(m.name, m.value) for m in decode(other.SerializeToString()).metrics] == [
        ("f", 0.5),
        ("i", 7),
        ("none", None),
    ]


@given(st.binary(max_size=60))
def test_other_bytes_are_read_or_refused_and_nothing_else(data):
    try:
        decode(data)
    except ValueError:
        pass


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"\x12\x05abc", "cut off: 7 bytes expected, 5 found"),
        (b"\x08" + b"\xff" * 10, "does not end"),
        (b"\x0b", "wire type 3"),
        (b"\x0a\x01a", "expected a number"),
        (b"\x10\x01", "expected bytes"),
        (b"\x12\x04\x6a\x02ab", "wrong length"),
    ],
)
def test_what_is_no_payload_is_said(data, told):
    with pytest.raises(ValueError, match=told):
        decode(data)
