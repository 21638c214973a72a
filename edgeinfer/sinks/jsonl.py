"""Appends decisions to a file, one JSON line each, and rotates it by size; has no topics and no retained states."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edgeinfer.errors import DeliveryError, InputError
from edgeinfer.events import Acked, Message, Outcome, Sent
from edgeinfer.ports import SinkPlace

_ACKED, _SENT = Acked(), Sent()
_LOOK_BYTES = 65_536


class Jsonl:
    """`path`, and `path.1` (newest) to `path.KEEP` (oldest) of what went before.

    A line is acknowledged when it is written; a power cut may take those of the last `sync_s`. While the disk does not
    take them nothing is lost: they wait in the outbox.
    """

    class Options(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
        """What a user may write in a `[sink.NAME]` of kind "jsonl"."""

        path: str
        encoding: str = "json"
        max_bytes: int = 10_000_000
        keep: int = 5
        sync_s: float = 1.0

    @staticmethod
    def topic_root(options: Options, device: str) -> str:  # noqa: ARG004  every sink answers this
        """Messages have topics, a file has none: any root will do."""
        return f"edgeinfer/{device}"

    def __init__(self, options: Options, place: SinkPlace) -> None:
        """Opens nothing yet.

        Raises:
            InputError: an option is out of range.
        """
        if options.max_bytes < 1 or options.keep < 0 or options.sync_s < 0:
            raise InputError("max_bytes must be at least 1; keep and sync_s at least 0")
        self._options, self._report = options, place.report
        self._path = Path(options.path)
        self._fd, self._size, self._synced_at, self._unsynced = -1, 0, 0.0, False
        self.session = 0

    def wait_ready(self, timeout_s: float) -> bool:
        """Opens the file, and brings to the disk what is due there; waits only where opening fails."""
        if self._fd < 0:
            try:
                self._open()
            except OSError as error:
                self._report(
                    "file", f"{self._path} cannot be opened: {error.strerror}; make its folder writable"
                )
                time.sleep(min(timeout_s, 0.5))
                return False
            self.session += 1
        with contextlib.suppress(OSError):  # told when the next line does not reach the disk
            self._sync_when_due()
        return True

    def send(self, batch: Sequence[Message]) -> list[Outcome]:
        """Writes what has a seq, in one go."""
        lines = b"".join(message.payload + b"\n" for message in batch if message.seq is not None)
        try:
            self._write(lines)
        except OSError as error:
            self._report(
                "file", f"{self._path} cannot be written: {error.strerror}; decisions wait in the outbox"
            )
            self._reset()
            raise DeliveryError(f"{self._path}: {error.strerror}") from error
        self._report("file", None)
        return [_SENT if message.seq is None else _ACKED for message in batch]

    def _write(self, lines: bytes) -> None:
        if not lines:
            return
        if self._size and self._size + len(lines) > self._options.max_bytes:
            self._rotate()
        if self._fd < 0:
            self._open()
        written = 0
        while written < len(lines):
            written += os.write(self._fd, lines[written:])
        self._size += written
        self._unsynced = True
        self._sync_when_due()

    def _sync_when_due(self) -> None:
        if self._unsynced and time.monotonic() - self._synced_at >= self._options.sync_s:
            os.fdatasync(self._fd)
            self._synced_at, self._unsynced = time.monotonic(), False

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        found = os.fstat(self._fd)
        self._size = found.st_size
        if stat.S_ISREG(found.st_mode) and (whole := _whole_lines(self._fd, self._size)) < self._size:
            os.ftruncate(
                self._fd, whole
            )  # who was killed left half a line, and the next one must not join it
            self._size = whole

    def _reset(self) -> None:
        """Takes back half a line, so that the file stays one line a decision."""
        if self._fd >= 0:
            try:
                os.ftruncate(self._fd, self._size)
            except OSError:
                self.close()

    def _rotate(self) -> None:
        self.close()
        names = [self._path, *(Path(f"{self._path}.{n}") for n in range(1, self._options.keep + 1))]
        names[-1].unlink(missing_ok=True)
        for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
            if newer.exists():
                newer.rename(older)

    def reconnect(self) -> None:
        """A file has nobody at the other side who could care."""

    def close(self) -> None:
        """Never waits for a lock: safe from any thread."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                os.fsync(fd)
            except OSError as error:
                self._report("file", f"{self._path} cannot be brought to the disk: {error.strerror}")
            os.close(fd)


def _whole_lines(fd: int, size: int) -> int:
    """How many bytes of the file are whole lines."""
    end = size
    while end > 0:
        start = max(0, end - _LOOK_BYTES)
        newline = os.pread(fd, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
