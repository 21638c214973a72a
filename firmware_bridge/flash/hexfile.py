"""Reads and writes Intel HEX; pure. A broken line is told with its number, so that nothing doubtful is flashed.

Format: Intel, Hexadecimal Object File Format Specification, revision A (1988).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from firmware_bridge.flash.errors import PackageError
from firmware_bridge.flash.image import Image, join

_DATA, _END, _SEGMENT, _START_SEGMENT, _LINEAR, _START_LINEAR = range(6)
_LENGTHS = {_END: 0, _SEGMENT: 2, _START_SEGMENT: 4, _LINEAR: 2, _START_LINEAR: 4}
_ROW = 16


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    kind: int
    address: int
    content: bytes


def read_hex(text: str, where: str) -> Image:
    """The one image of a HEX file.

    Raises:
        PackageError: with the line that is wrong and what is wrong with it.
    """
    return join(_segments(text, where), where)


def _segments(text: str, where: str) -> Iterator[Image]:
    base, run_at, run = 0, 0, bytearray()
    records = _records(text, where)
    for record in records:
        if record.kind == _END:
            break
        if record.kind == _DATA:
            at = base + record.address
            if at != run_at + len(run):
                yield Image(run_at, bytes(run))
                run_at, run = at, bytearray()
            run += record.content
        elif record.kind in {_SEGMENT, _LINEAR}:
            base = int.from_bytes(record.content, "big") << (4 if record.kind == _SEGMENT else 16)
    else:
        raise PackageError(
            f"{where}: the end-of-file record is missing; the file was cut off: build or copy it again"
        )
    yield Image(run_at, bytes(run))
    if (more := next(records, None)) is not None:
        raise PackageError(
            f"{where}:{more.line}: a record follows the end-of-file record: two files in one? "
            "Merge them with a tool that knows HEX, such as srec_cat"
        )


def _records(text: str, where: str) -> Iterator[_Record]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield _record(line.strip(), number, f"{where}:{number}")


def _record(line: str, number: int, where: str) -> _Record:
    try:
        raw = bytes.fromhex(line[1:])
    except ValueError:
        raw = b""
    if not line.startswith(":") or len(raw) < 5 or len(raw) != raw[0] + 5:
        raise PackageError(
            f"{where}: expected a whole Intel HEX record, found {line[:24]!r}; build the file again"
        )
    if sum(raw) & 0xFF:
        want = -sum(raw[:-1]) & 0xFF
        raise PackageError(
            f"{where}: the checksum is {raw[-1]:02X} and should be {want:02X}; the file is damaged"
        )
    if raw[3] > _START_LINEAR:
        raise PackageError(f"{where}: unknown record type {raw[3]}; is this really Intel HEX?")
    if raw[0] != _LENGTHS.get(raw[3], raw[0]):
        raise PackageError(
            f"{where}: a record of type {raw[3]} has {_LENGTHS[raw[3]]} bytes, found {raw[0]}; the file is damaged"
        )
    return _Record(number, raw[3], int.from_bytes(raw[1:3], "big"), raw[4:-1])


def write_hex(image: Image) -> str:
    """`image` as Intel HEX, 16 bytes a row; `read_hex` gives it back."""
    rows: list[str] = []
    high = 0
    at, end = image.offset, image.offset + len(image.content)
    while at < end:
        if at >> 16 != high:
            high = at >> 16
            rows.append(_row(_LINEAR, 0, high.to_bytes(2, "big")))
        n = min(_ROW - at % _ROW, end - at)
        rows.append(_row(_DATA, at & 0xFFFF, image.content[at - image.offset :][:n]))
        at += n
    return "\n".join([*rows, _row(_END, 0, b""), ""])


def _row(kind: int, address: int, content: bytes) -> str:
    raw = bytes([len(content), address >> 8, address & 0xFF, kind]) + content
    return f":{raw.hex().upper()}{-sum(raw) & 0xFF:02X}"
