"""The bytes of a Sparkplug B payload: protobuf of the few fields that we send and read; knows no topics and no state.

Source: sparkplug_b.proto of Eclipse Tahu (proto2), as Sparkplug 3.0.0 names it in 6.4; the wire format is that of
protobuf.dev/programming-guides/encoding. Fields that we do not know are passed over, as protobuf wants it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

Value = bool | int | float | str | None

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types
_U64 = 0xFFFF_FFFF_FFFF_FFFF
_MOST_VARINT = 10  # bytes of the longest varint
_BYTE = tuple(bytes((n,)) for n in range(128))

# Fields of Payload and of Metric; of a value's five kinds each has its own.
_TIMESTAMP, _METRICS, _SEQ = 1, 2, 3
_NAME, _ALIAS, _AT, _TYPE, _HISTORICAL, _NULL = 1, 2, 3, 4, 5, 7
_INT, _LONG, _FLOAT, _DOUBLE, _BOOL, _STRING = 10, 11, 12, 13, 14, 15


class DataType(IntEnum):
    """The types that our metrics have (Sparkplug 3.0.0, 6.4.16)."""

    INT64 = 4
    UINT64 = 8
    DOUBLE = 10
    BOOLEAN = 11
    STRING = 12


@dataclass(frozen=True, slots=True)
class Metric:
    """One value at `at_ms` (unix, UTC); None is null. Without a name it goes by its alias.

    `type` is an int where somebody else's metric has a type that ours have not.
    """

    name: str
    type: int
    value: Value
    at_ms: int = 0
    alias: int | None = None
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Payload:
    """What one message says; `seq` is None in NDEATH and in commands."""

    at_ms: int
    metrics: tuple[Metric, ...]
    seq: int | None = None


# --- writing -------------------------------------------------------------------------------------------------


def encode(payload: Payload) -> bytes:
    """The fields in the order of their numbers; the datatype always, since not every host remembers the birth."""
    body = _number(_TIMESTAMP, payload.at_ms)
    body += b"".join(_chunk(_METRICS, _metric(metric)) for metric in payload.metrics)
    return body if payload.seq is None else body + _number(_SEQ, payload.seq)


def _metric(metric: Metric) -> bytes:
    body = _chunk(_NAME, metric.name.encode()) if metric.name else b""
    if metric.alias is not None:
        body += _number(_ALIAS, metric.alias)
    body += _number(_AT, metric.at_ms) + _number(_TYPE, metric.type)
    if metric.historical:
        body += _number(_HISTORICAL, 1)
    return body + _value(metric)


def _value(metric: Metric) -> bytes:
    value = metric.value
    if value is None:
        return _number(_NULL, 1)
    if metric.type == DataType.BOOLEAN:
        return _number(_BOOL, bool(value))
    if metric.type == DataType.DOUBLE:
        return _tag(_DOUBLE, _FIXED64) + struct.pack("<d", value)
    if metric.type == DataType.STRING:
        return _chunk(_STRING, str(value).encode())
    return _number(_LONG, int(value) & _U64)  # an Int64 goes as the unsigned number of the same bits


def _number(field: int, value: int) -> bytes:
    return _tag(field, _VARINT) + _varint(value)


def _chunk(field: int, data: bytes) -> bytes:
    return _tag(field, _BYTES) + _varint(len(data)) + data


def _tag(field: int, wire_type: int) -> bytes:
    return _BYTE[field << 3 | wire_type]  # all fields are below 16


def _varint(value: int) -> bytes:
    if value <= 0x7F:
        return _BYTE[value]
    digits = bytearray()
    while value > 0x7F:
        digits.append(value & 0x7F | 0x80)
        value >>= 7
    digits.append(value)
    return bytes(digits)


# --- reading -------------------------------------------------------------------------------------------------


def decode(data: bytes) -> Payload:
    """The inverse of `encode`.

    Raises:
        ValueError: this is no Sparkplug payload, or it is cut off.
    """
    at_ms, seq, metrics = 0, None, []
    for field, value in _fields(data):
        if field == _TIMESTAMP:
            at_ms = _whole(value)
        elif field == _SEQ:
            seq = _whole(value)
        elif field == _METRICS:
            metrics.append(_read_metric(_text(value)))
    return Payload(at_ms, tuple(metrics), seq)


def _read_metric(data: bytes) -> Metric:
    found = dict(_fields(data))
    kind = _whole(found.get(_TYPE, 0))
    return Metric(
        name=_text(found.get(_NAME, b"")).decode(),
        type=kind,
        value=None if found.get(_NULL) else _read_value(kind, found),
        at_ms=_whole(found.get(_AT, 0)),
        alias=_whole(found[_ALIAS]) if _ALIAS in found else None,
        historical=bool(found.get(_HISTORICAL, 0)),
    )


def _read_value(kind: int, found: dict[int, int | bytes]) -> Value:
    if _BOOL in found:
        return bool(_whole(found[_BOOL]))
    if _DOUBLE in found or _FLOAT in found:
        form, raw = ("<d", found[_DOUBLE]) if _DOUBLE in found else ("<f", found[_FLOAT])
        try:
            return float(struct.unpack(form, _text(raw))[0])
        except struct.error as error:
            raise ValueError(f"a number has the wrong length: {error}") from error
    if _STRING in found:
        return _text(found[_STRING]).decode()
    whole = found.get(_LONG, found.get(_INT))
    if whole is None:
        return None
    signed = kind == DataType.INT64 and _whole(whole) >> 63
    return _whole(whole) - (1 << 64 if signed else 0)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        tag, at = _read_varint(data, at)
        wire_type = tag & 7
        if wire_type == _VARINT:
            number, at = _read_varint(data, at)
            yield tag >> 3, number
            continue
        size, at = _size(wire_type, data, at)
        if at + size > len(data):
            raise ValueError(f"field {tag >> 3} is cut off: {at + size} bytes expected, {len(data)} found")
        yield tag >> 3, data[at : at + size]
        at += size


def _size(wire_type: int, data: bytes, at: int) -> tuple[int, int]:
    if wire_type == _BYTES:
        return _read_varint(data, at)
    if wire_type in {_FIXED64, _FIXED32}:
        return (8 if wire_type == _FIXED64 else 4), at
    raise ValueError(f"wire type {wire_type} is not of protobuf")


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for n, digit in enumerate(data[at : at + _MOST_VARINT]):
        value |= (digit & 0x7F) << 7 * n
        if digit < 0x80:
            return value & _U64, at + n + 1
    raise ValueError("a number does not end")


def _whole(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise ValueError("expected a number, found bytes")  # noqa: TRY004  to the caller it is bad data, no wrong type
    return value


def _text(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise ValueError("expected bytes, found a number")  # noqa: TRY004  as above
    return value
