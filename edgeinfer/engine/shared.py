"""What parent and child share: messages over two pipes, tensors in one memfd. Starts and stops nothing."""

from __future__ import annotations

import mmap
import os
import select
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edgeinfer.ports import ModelFile
from edgeinfer.tensors import ModelSpec

Array = NDArray[Any]

_HEAD = 4  # bytes of a message's length, little endian
_ALIGN = 64  # a cache line; more than any tensor type asks for


class Slot(Struct, frozen=True):
    """Where one tensor stands in the memory."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    offset: int


class Layout(Struct, frozen=True):
    """The whole memory; it grows when an output turns out larger than its shape had told."""

    inputs: tuple[Slot, ...]
    outputs: tuple[Slot, ...]
    size: int


class Open(Struct, frozen=True, tag=True):
    """Load `model` by `opener` ("module:function", a ModelFile to a Session)."""

    opener: str
    model: ModelFile


class Infer(Struct, frozen=True, tag=True):
    """The inputs are in the memory: go."""


class Opened(Struct, frozen=True, tag=True):
    """Ready."""

    spec: ModelSpec
    runtime: str
    warning: str
    layout: Layout


class Done(Struct, frozen=True, tag=True):
    """The outputs are in the memory; `layout` where it is no longer the last one."""

    layout: Layout | None = None


class Failed(Struct, frozen=True, tag=True):
    """An error of edgeinfer.errors, to be raised again on the other side."""

    kind: Literal["BundleError", "InputError", "InferenceLost"]
    message: str


Request = Open | Infer
Reply = Opened | Done | Failed


def plan(
    inputs: Iterable[tuple[str, tuple[int, ...], str]], outputs: Iterable[tuple[str, tuple[int, ...], str]]
) -> Layout:
    """Places tensors (name, shape, dtype) one after another."""
    end = 0

    def placed(tensor: tuple[str, tuple[int, ...], str]) -> Slot:
        nonlocal end
        name, shape, dtype = tensor
        offset, n = end, int(np.prod(shape)) * np.dtype(dtype).itemsize
        end += -(-n // _ALIGN) * _ALIGN
        return Slot(name, shape, dtype, offset)

    first, second = tuple(map(placed, inputs)), tuple(map(placed, outputs))
    return Layout(first, second, max(end, _ALIGN))


class Memory:
    """The tensors of a layout as arrays over the memfd. Arrays given out keep the old memory alive."""

    def __init__(self, fd: int, layout: Layout) -> None:
        if os.fstat(fd).st_size < layout.size:
            os.ftruncate(fd, layout.size)
        memory = mmap.mmap(fd, layout.size)
        self.inputs = _arrays(memory, layout.inputs)
        self.outputs = _arrays(memory, layout.outputs)


def _arrays(memory: mmap.mmap, slots: Iterable[Slot]) -> Mapping[str, Array]:
    return {s.name: np.ndarray(s.shape, s.dtype, buffer=memory, offset=s.offset) for s in slots}


class Wire:
    """Whole messages over a pair of pipe ends, each with its length before it."""

    def __init__(self, read_fd: int, write_fd: int) -> None:
        self._read_fd, self._write_fd = read_fd, write_fd
        self._poll = select.poll()
        self._poll.register(read_fd, select.POLLIN)

    def send(self, message: Request | Reply) -> None:
        """Raises BrokenPipeError when the other side is gone."""
        body = msgspec.msgpack.encode(message)
        data = memoryview(len(body).to_bytes(_HEAD, "little") + body)
        while data:
            data = data[os.write(self._write_fd, data) :]

    def wait(self, timeout_s: float) -> bool:
        """Whether there is a message (or the end) to be received, after at most so long."""
        return bool(self._poll.poll(max(0.0, timeout_s) * 1000))

    def receive(self) -> bytes | None:
        """The next message, still packed, or None when the other side is gone."""
        head = self._exactly(_HEAD)
        return self._exactly(int.from_bytes(head, "little")) if head else None

    def _exactly(self, n: int) -> bytes | None:
        data = b""
        while len(data) < n:
            more = os.read(self._read_fd, n - len(data))
            if not more:
                return None
            data += more
        return data

    def close(self) -> None:
        os.close(self._read_fd)
        os.close(self._write_fd)


REQUEST: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
REPLY: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
