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

from edgeinfer.engine.flatbuffer import Damaged, Reader, Table
from edgeinfer.errors import BundleError

IDENTIFIER = b"TFL3"
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
            view = memoryview(mapped)
            try:
                check(view)
            finally:
                view.release()
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    except Damaged as error:
        text = str(error)
        raise BundleError(f"{path}: is damaged or no TFLite model: {text}") from None


def check(data: memoryview) -> None:
    """Raises Damaged with what is wrong; returns when nothing is."""
    if bytes(data[4:8]) != IDENTIFIER:
        found = bytes(data[:16])
        raise Damaged(f"expected {IDENTIFIER!r} at byte 4, found {found[4:8]!r}{_known(found)}")
    reader = Reader(data)
    model = reader.table(reader.number("I", 0, "the model"), "the model")
    codes = model.children(1, "operator code")
    for code in codes:
        code.text(1, "a custom operator's name")
    sizes = [_buffer(buffer, reader.size) for buffer in model.children(4, "buffer")]
    graphs = model.children(2, "graph")
    if not graphs:
        raise Damaged("there is no graph in it")
    for graph in graphs:
        _graph(graph, len(codes), sizes)
    for entry in model.children(6, "metadata entry"):
        entry.text(0, "a metadata entry's name")
        _within(entry.scalar(1, "I"), len(sizes), "a metadata entry's buffer")


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


def _buffer(buffer: Table, size: int) -> int:
    """Bytes of its data; buffers of files above 2 GB stand behind the flatbuffer, at an offset of their own."""
    _, count = buffer.span(0, 1, buffer.what)
    offset, length = buffer.scalar(1, "Q"), buffer.scalar(2, "Q")
    if offset > 1 and offset + length > size:
        raise Damaged(f"{buffer.what} ends at byte {offset + length}, and the file has {size}")
    return max(count, length if offset > 1 else 0)


def _graph(graph: Table, codes: int, buffers: Sequence[int]) -> None:
    tensors = graph.children(0, "tensor")
    for tensor in tensors:
        _tensor(tensor, buffers)
    for slot, what in ((1, "an input"), (2, "an output")):
        for number in graph.integers(slot, "i", what):
            _within(number, len(tensors), f"{what} of the graph")
    for operator in graph.children(3, "operator"):
        _operator(operator, codes, len(tensors))


def _operator(operator: Table, codes: int, tensors: int) -> None:
    _within(operator.scalar(0, "I"), codes, f"{operator.what}'s code")
    for slot in (1, 2, 8):
        for number in operator.integers(slot, "i", operator.what):
            if number != -1:  # an optional tensor that is not there
                _within(number, tensors, f"a tensor of {operator.what}")
    for slot in (4, 12):
        operator.child(slot, f"{operator.what}'s options")
    operator.span(5, 1, f"{operator.what}'s custom options")
    operator.span(7, 1, f"{operator.what}'s variables")


def _tensor(tensor: Table, buffers: Sequence[int]) -> None:
    shape, kind = tensor.integers(0, "i", f"{tensor.what}'s shape"), tensor.scalar(1, "b")
    tensor.text(3, f"{tensor.what}'s name")
    tensor.integers(7, "i", f"{tensor.what}'s shape")
    number = tensor.scalar(2, "I")
    _within(number, len(buffers), f"{tensor.what}'s buffer")
    _quantization(tensor, shape)
    sparse = tensor.child(6, f"{tensor.what}'s sparsity")
    held = buffers[number]
    if any(n < 0 for n in shape):
        raise Damaged(f"{tensor.what} has the shape {shape}")
    if held and sparse is None and kind in _TYPE_BITS and held < (prod(shape) * _TYPE_BITS[kind] + 7) // 8:
        raise Damaged(f"{tensor.what} of shape {shape} has {held} bytes")


def _quantization(tensor: Table, shape: Sequence[int]) -> None:
    found = tensor.child(4, f"{tensor.what}'s quantization")
    if found is None:
        return
    for slot in (0, 1):
        found.span(slot, 4, found.what)
    _, scales = found.span(2, 4, found.what)
    _, zeros = found.span(3, 8, found.what)
    if zeros > 1 and zeros != scales:
        raise Damaged(f"{found.what} has {scales} scales and {zeros} zero points")
    found.child(5, found.what)
    axis = found.scalar(6, "i")
    if scales > 1 and not (0 <= axis < len(shape) and shape[axis] == scales):
        raise Damaged(f"{found.what} has {scales} scales along axis {axis} of the shape {tuple(shape)}")


def _within(number: int, count: int, what: str) -> None:
    if not 0 <= number < count:
        raise Damaged(f"{what} is number {number}, and there are {count}")
