"""Which model runs in this very process now, written where it survives the process; judges nobody.

A mapped file keeps what was stored last when a process dies of a native crash, and costs two stores an inference. (It
does not survive a power cut, which no model is to blame for.)
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edgeinfer.events import Instant
    from edgeinfer.ports import Session

Array = NDArray[Any]

_SLOTS = 64
_SIZE = 16 * mmap.PAGESIZE
_NAMES = _SLOTS * 2 * 8


@dataclass(frozen=True, slots=True)
class Run:
    """One model as the file shows it: the thread (its `get_ident`) that ran it last, and whether it was at it."""

    name: str
    thread: int
    at_work: bool


class Marker:
    """The file, mapped. The names of models take up to 60 kB; beyond 64 models the oldest give way."""

    def __init__(self, path: Path) -> None:
        self._map = _mapped(path)
        self._numbers = np.frombuffer(self._map, np.int64, _SLOTS * 2)
        self._names: list[str] = []
        self._oldest = 0
        self._lock = Lock()

    def slot(self, name: str) -> int:
        """The number under which this model is noted."""
        with self._lock:
            if name not in self._names:
                self._give(name)
                text = json.dumps(self._names).encode()[: _SIZE - _NAMES - 1] + b"\0"
                self._map[_NAMES : _NAMES + len(text)] = text
            return self._names.index(name)

    def _give(self, name: str) -> None:
        if len(self._names) < _SLOTS:
            self._names.append(name)
            return
        self._names[self._oldest] = name
        self._oldest = (self._oldest + 1) % _SLOTS

    def begin(self, slot: int) -> None:
        self._numbers[2 * slot + 1] = get_ident()
        self._numbers[2 * slot] = 1

    def end(self, slot: int) -> None:
        self._numbers[2 * slot] = 0

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """While a model is opened, for instance."""
        slot = self.slot(name)
        self.begin(slot)
        try:
            yield
        finally:
            self.end(slot)


def _mapped(path: Path) -> mmap.mmap:
    """Its blocks are there before it is mapped: a store into a hole on a full disk would be our death (SIGBUS)."""
    try:
        with path.open("w+b") as file:
            os.posix_fallocate(file.fileno(), 0, _SIZE)
            return mmap.mmap(file.fileno(), _SIZE)
    except OSError:  # no room: this run leaves no traces, and decides
        return mmap.mmap(-1, _SIZE)


def read(path: Path) -> list[Run]:
    """What a process left that is dead now; empty where there is no file, or one that was never written."""
    try:
        data = path.read_bytes()
        names: list[str] = json.loads(data[_NAMES:].split(b"\0")[0] or b"[]")
        numbers = np.frombuffer(data, np.int64, _SLOTS * 2).tolist()
    except (OSError, ValueError):
        return []
    return [Run(name, numbers[2 * n + 1], bool(numbers[2 * n])) for n, name in enumerate(names)]


class MarkedSession:
    """A session in this process whose every inference stands in the marker."""

    def __init__(self, session: Session, marker: Marker, name: str) -> None:
        self.spec = session.spec
        self._session, self._marker, self._slot = session, marker, marker.slot(name)

    @property
    def runtime(self) -> str:
        return self._session.runtime

    @property
    def warning(self) -> str:
        return self._session.warning

    def infer(self, inputs: Mapping[str, Array], deadline: Instant | None = None) -> Mapping[str, Array]:
        """As the port says."""
        self._marker.begin(self._slot)
        try:
            return self._session.infer(inputs, deadline)
        finally:
            self._marker.end(self._slot)

    def close(self) -> None:
        self._session.close()
