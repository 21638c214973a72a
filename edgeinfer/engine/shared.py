"""What parent and child share: messages over a socket, tensors in a memfd, what runs now in a page. Starts nothing."""

from __future__ import annotations

import mmap
import os
import select
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from edgeinfer.ports import ModelFile
from edgeinfer.tensors import ModelSpec

Array = NDArray[Any]

LARGEST = 1 << 17  # bytes of a message; the largest is the tensor list of a model
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
    within_s: float


class Infer(Struct, frozen=True, tag=True):
    """The inputs are in the memory: go. `n` numbers the requests of a session: an answer that comes too late is known.

    `within_s` is what this one may take, as in Open; nobody takes it for a hang before.
    """

    n: int
    within_s: float


class Opened(Struct, frozen=True, tag=True):
    """Ready."""

    spec: ModelSpec
    runtime: str
    warning: str
    layout: Layout


class Done(Struct, frozen=True, tag=True):
    """The outputs are in the memory; `layout` where it is no longer the last one."""

    n: int
    layout: Layout | None = None


class Failed(Struct, frozen=True, tag=True):
    """An error of edgeinfer.errors, to be raised again on the other side; `n` as in Infer, -1 for opening."""

    kind: Literal["BundleError", "InputError", "InferenceLost"]
    message: str
    n: int = -1


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


class Page:
    """What a child does now, in a memfd: for whom, since when, until when. The parent tells a hang from a queue by it."""

    def __init__(self, fd: int) -> None:
        if os.fstat(fd).st_size < mmap.PAGESIZE:
            os.ftruncate(fd, mmap.PAGESIZE)
        self._numbers = np.frombuffer(mmap.mmap(fd, mmap.PAGESIZE), np.int64, 2)

    def begin(self, session: int, within_s: float) -> None:
        self._numbers[1] = time.monotonic_ns() + int(within_s * 1e9)
        self._numbers[0] = session

    def end(self) -> None:
        self._numbers[0] = 0

    def now(self) -> tuple[int, float]:
        """(the session that is served, seconds that it has left); session 0: none."""
        session, until_ns = int(self._numbers[0]), int(self._numbers[1])
        return session, (until_ns - time.monotonic_ns()) / 1e9


class TooLong(Exception):  # noqa: N818  internal: it becomes a BundleError
    """A message that does not fit: the tensor list of a model with many hundreds of outputs."""


class Wire:
    """Whole messages over one end of a sequenced-packet socket pair."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._poll = select.poll()
        self._poll.register(end, select.POLLIN)

    def fileno(self) -> int:
        return self._end.fileno()

    def send(self, message: Request | Reply) -> None:
        """Raises OSError (broken pipe, connection reset) when the other side is gone; TooLong."""
        body = msgspec.msgpack.encode(message)
        if len(body) > LARGEST:
            raise TooLong(f"{len(body):,} bytes, and {LARGEST:,} at most")
        self._end.send(body)

    def wait(self, timeout_s: float) -> bool:
        """Whether there is a message (or the end) to be received, after at most so long."""
        return bool(self._poll.poll(max(0.0, timeout_s) * 1000))

    def receive(self) -> bytes | None:
        """The next message, still packed, or None when the other side is gone."""
        try:
            return self._end.recv(LARGEST) or None
        except ConnectionError:
            return None

    def close(self) -> None:
        self._end.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Two ends of a socket that keeps messages whole."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


REQUEST: msgspec.msgpack.Decoder[Request] = msgspec.msgpack.Decoder(Request)
REPLY: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)
