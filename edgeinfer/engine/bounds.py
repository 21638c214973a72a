"""Proves that a .tflite file stays inside of its own bytes, before any runtime follows an offset in it.

It checks what runtimes trust: extents of tables and vectors, and the numbers by which operators, tensors and buffers
name one another. It does not check what operators mean: that is why the first invoke happens in another process.
Source of the field numbers: TensorFlow Lite's schema.fbs, version 3.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from math import prod
from pathlib import Path

from edgeinfer.errors import BundleError
from edgeinfer.store.flatbuffer import Buffer, Damaged, Table, root

IDENTIFIER = b"TFL3"
_TABLES_MAX = 500_000
"""Offsets may lead to the same place many times: a small file could else claim billions of tensors."""

_TYPE_BITS = {
    0: 32, 1: 16, 2: 32, 3: 8, 4: 64, 6: 8, 7: 16, 8: 64, 9: 8, 10: 64,
    11: 128, 12: 64, 15: 32, 16: 16, 17: 4, 18: 16,
}  # fmt: skip
"""TensorType to bits; strings, resources and variants (5, 13, 14) have no size that follows from their shape."""


def check_file(path: Path) -> None:
    """Raises BundleError when `path` is no .tflite whose offsets and numbers are right."""
    try:
        size = path.stat().st_size
        if size < 8:
            raise BundleError(f"{path}: is damaged or no TFLite model: it has {size} bytes")
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            check(mapped)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    except Damaged as error:
        text = str(error)
        raise BundleError(f"{path}: is damaged or no TFLite model: {text}") from None


def check(data: Buffer) -> None:
    """Raises Damaged with what is wrong; returns when nothing is."""
    if data[4:8] != IDENTIFIER:
        found = data[:16]
        raise Damaged(f"expected {IDENTIFIER!r} at byte 4, found {found[4:8]!r}{_known(found)}")
    model = root(data)
    codes = model.tables(1)
    for code in codes:
        code.text(1)
    sizes = [_buffer(buffer, f"buffer {i}", len(data)) for i, buffer in enumerate(model.tables(4))]
    graphs = model.tables(2)
    if not graphs:
        raise Damaged("there is no graph in it")
    left = _TABLES_MAX
    for graph in graphs:
        left -= _graph(graph, len(codes), sizes, left)
    for entry in model.tables(6):
        entry.text(0)
        _within(entry.integer(1, "I"), len(sizes), "a metadata entry's buffer")


def _known(head: bytes) -> str:
    """What it is instead, where the first bytes tell."""
    kinds = {
        b"PK\x03\x04": "a zip: is it a packed bundle, or a SavedModel?",
        b"\x89HDF": "a Keras .h5: convert it to .tflite first",
        b"\x08\x03\x12": "perhaps an ONNX file: convert it to .tflite first",
        b"<": "text: is it a web page in place of a download?",
        b"version https://git": "a Git LFS pointer: fetch the file itself (git lfs pull)",
    }
    found = next((text for start, text in kinds.items() if head.startswith(start[:16])), "")
    return f" ({found})" if found else ""


def _buffer(buffer: Table, what: str, size: int) -> int:
    """Bytes of its data; buffers of files above 2 GB stand behind the flatbuffer, at an offset of their own."""
    held = buffer.length(0)
    offset, length = buffer.integer(1, "Q"), buffer.integer(2, "Q")
    if offset <= 1:
        return held
    if offset + length > size:
        raise Damaged(f"{what} ends at byte {offset + length}, and the file has {size}")
    return length


def _graph(graph: Table, codes: int, buffers: Sequence[int], left: int) -> int:
    """How many tables it has; more than `left` in all would keep us busy for hours."""
    tensors, operators = graph.tables(0), graph.tables(3)
    if len(tensors) + len(operators) > left:
        raise Damaged(f"it has over {_TABLES_MAX:,} tensors and operators, more than any model")
    for i, tensor in enumerate(tensors):
        _tensor(tensor, f"tensor {i}", buffers)
    for field, what in ((1, "an input of the graph"), (2, "an output of the graph")):
        for number in graph.numbers(field, "i"):
            _within(int(number), len(tensors), what)
    for i, operator in enumerate(operators):
        _operator(operator, f"operator {i}", codes, len(tensors))
    return len(tensors) + len(operators)


def _operator(operator: Table, what: str, codes: int, tensors: int) -> None:
    _within(operator.integer(0, "I"), codes, f"the code of {what}")
    for field in (1, 2, 8):
        for number in operator.numbers(field, "i"):
            if number != -1:  # an optional tensor that is not there
                _within(int(number), tensors, f"a tensor of {what}")
    for field in (4, 12):
        operator.table(field)
    for field in (5, 7):
        operator.length(field)


def _tensor(tensor: Table, what: str, buffers: Sequence[int]) -> None:
    shape, kind = [int(n) for n in tensor.numbers(0, "i")], tensor.integer(1, "b")
    tensor.text(3)
    tensor.numbers(7, "i")
    number = tensor.integer(2, "I")
    _within(number, len(buffers), f"the buffer of {what}")
    if any(n < 0 for n in shape):
        raise Damaged(f"{what} has the shape {shape}")
    _quantization(tensor, what, shape)
    sparse = tensor.table(6)
    held = buffers[number]
    if held and sparse is None and kind in _TYPE_BITS and held < (prod(shape) * _TYPE_BITS[kind] + 7) // 8:
        raise Damaged(f"{what} of shape {shape} has {held} bytes")


def _quantization(tensor: Table, what: str, shape: Sequence[int]) -> None:
    found = tensor.table(4)
    if found is None:
        return
    for field in (0, 1):
        found.numbers(field, "f")
    scales, zeros = len(found.numbers(2, "f")), len(found.numbers(3, "q"))
    if zeros > 1 and zeros != scales:
        raise Damaged(f"{what} has {scales} scales and {zeros} zero points")
    found.table(5)
    axis = found.integer(6, "i")
    if scales > 1 and not (0 <= axis < len(shape) and shape[axis] == scales):
        raise Damaged(f"{what} has {scales} scales along axis {axis} of the shape {list(shape)}")


def _within(number: int, count: int, what: str) -> None:
    if not 0 <= number < count:
        raise Damaged(f"{what} is number {number}, and there are {count}")
